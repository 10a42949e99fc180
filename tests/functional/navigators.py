"""What a person does in the browser, by its name: open a page, fill its form, press its button.

Invariant: forms are read from the page that the application drew and sent with all their fields, so that a test
fails when the page lost one; nothing is posted that a person could not post, unless a test says `raw`.
"""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse


class Browser:
    """A browser of one person: keeps cookies, follows redirects when asked, remembers the page in view."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: TestResponse | None = None
        self.path = "/"

    def open(self, path: str, *, follow: bool = True, **options: Any) -> TestResponse:
        """Go to an address."""
        return self._see(self.client.get(path, follow_redirects=follow, **options))

    def _see(self, response: TestResponse) -> TestResponse:
        response.get_data()  # as a browser does: read to the end, then let go of the file behind it
        response.close()
        self.page = response
        self.path = response.request.path
        return response

    @property
    def status(self) -> int:
        """Status of the page in view."""
        assert self.page is not None
        return self.page.status_code

    @property
    def text(self) -> str:
        """What a person reads on the page in view, with single spaces."""
        tree = self.tree()
        for silent in tree.xpath("//script|//style|//dialog"):
            silent.getparent().remove(silent)
        return " ".join(tree.text_content().split())

    def tree(self) -> html.HtmlElement:
        """The page in view as a tree."""
        assert self.page is not None
        return html.fromstring(self.page.get_data(as_text=True))

    def form(self, action: str | None = None) -> html.FormElement:
        """Return the form that sends to `action` (default: the only one of the main part)."""
        forms = self.tree().xpath("//main//form" if action is None else "//form")
        chosen = [one for one in forms if action is None or (one.get("action") or self.path) == action]
        assert len(chosen) == 1, f"{len(chosen)} forms for {action} on {self.path}: {[f.get('action') for f in forms]}"
        return chosen[0]

    def fill(self, action: str | None = None, /, **values: Any) -> TestResponse:
        """Fill the form in view and send it; a name that the form does not have is an error."""
        form = self.form(action)
        data: dict[str, list[Any]] = {}
        for name, value in form.form_values():
            data.setdefault(name, []).append(value)
        names = {field.get("name") for field in form.xpath(".//input|.//select|.//textarea|.//button")}
        unknown = values.keys() - names
        assert not unknown, f"the form has no {unknown}; it has {names}"
        for name, value in values.items():
            data[name] = value if isinstance(value, list) else [value]
        target = form.get("action") or (self.page.request.full_path.rstrip("?") if self.page else self.path)
        return self._see(self.client.post(target, data=data, follow_redirects=True))

    def raw(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send what no page of ours sends."""
        return self._see(self.client.open(path, method=method, **options))

    def log_in(self, correo: str, clave: str, *, expect: bool = True) -> None:
        """Enter with address and password."""
        if not self.path.startswith("/entrar") or self.page is None:
            self.open("/entrar")
        self.fill("/entrar", correo=correo, clave=clave)
        if expect:
            assert self.status == 200, self.text
            assert not self.path.startswith("/entrar"), self.text

    def log_out(self) -> None:
        """Leave."""
        self.fill("/salir")

    def switch_provider(self, prestador_id: int | None) -> None:
        """Turn the provider switch."""
        self.fill("/prestador", prestador_id="" if prestador_id is None else prestador_id)
