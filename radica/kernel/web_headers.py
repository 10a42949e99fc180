"""What every answer of the web says to the browser: where things may come from, and that nothing is kept.

Invariant: no inline script or style ever runs, no other site may frame a page, and a page with data is not stored
on a shared machine. A view may set its own Cache-Control; it cannot weaken the policy.
"""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ONE_YEAR_S = 31_536_000


def install(app: Flask, *, secure: bool) -> None:
    """Add the headers to every answer of `app`; `secure` also asks the browser to come only by HTTPS."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        if secure:
            response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR_S}"
        if request.endpoint == "static" and response.status_code < 400:
            # The address carries the file's hash: a new version is a new address.
            age = ONE_YEAR_S if request.args.get("v") else 3600
            response.headers["Cache-Control"] = f"public, max-age={age}"
        elif "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
