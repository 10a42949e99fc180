"""A QR code as one SVG path, drawn on the server: the secret of a second factor goes to no other program.

Invariant: pure; one unit per module, four modules of quiet zone on each side (ISO/IEC 18004).
"""

from __future__ import annotations

from reportlab.graphics.barcode import qrencoder

QUIET = 4


def qr_path(text: str) -> tuple[int, str]:
    """Return the side of the square, quiet zone included, and the `d` of an SVG path of its dark modules."""
    code = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    runs: list[str] = []
    for y, row in enumerate(code.modules):
        x = 0
        while x < len(row):
            width = 0
            while x + width < len(row) and row[x + width]:
                width += 1
            if width:
                runs.append(f"M{x + QUIET} {y + QUIET}h{width}v1h-{width}z")
            x += width or 1
    return int(code.moduleCount) + 2 * QUIET, "".join(runs)
