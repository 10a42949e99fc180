"""How values read on a page, and whether the colours can be read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from radica.kernel import web_format as fmt
from radica.kernel.web_paging import cut, decode_cursor, encode_cursor

CSS = Path(__file__).resolve().parents[2] / "radica" / "static" / "radica.css"


def test_money_and_its_short_form() -> None:
    assert fmt.cop(453000000) == "$ 4.530.000"
    assert fmt.cop(None) == "—"
    assert fmt.cop_short(9_600_000_000) == "$ 96 M"
    assert fmt.cop_short(128_400_000_000) == "$ 1.284 M"
    assert fmt.cop_short(453_000_000) == "$ 4,5 M"
    assert fmt.cop_short(88_000_000) == "$ 880.000"
    assert fmt.cop_short(-453_000_000) == "-$ 4,5 M"


def test_days_and_instants_are_read_in_bogota() -> None:
    late = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
    assert fmt.fecha(late) == "21 nov 2026"
    assert fmt.fecha_hora(late) == "21 nov 2026, 22:30"
    assert fmt.fecha(date(2027, 1, 3)) == "3 ene 2027"
    assert fmt.fecha_larga(late) == "sábado, 21 de noviembre de 2026"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1400, "1,4 kB"),
        (153_000, "153 kB"),
        (12_340_000, "12,3 MB"),
        (10**9, "1 GB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert fmt.size(count) == text


def test_counts() -> None:
    assert fmt.plural(1, "factura", "facturas") == "1 factura"
    assert fmt.plural(12_000, "factura", "facturas") == "12.000 facturas"


def test_a_cursor_survives_the_address_and_damage_is_the_first_page() -> None:
    values = ["2026-11-21", 12, None]
    assert decode_cursor(encode_cursor(values), size=3) == values
    assert decode_cursor(encode_cursor(values), size=2) is None
    for broken in (None, "", "%%%", "bm8", encode_cursor(values)[:-3]):
        assert decode_cursor(broken, size=3) is None


def test_a_page_knows_whether_there_is_more() -> None:
    key = lambda row: [row]  # noqa: E731 - shorter than a function for one use
    first = cut([1, 2, 3], limit=2, key=key, came_with=None)
    assert (first.rows, first.previous, first.next) == ([1, 2], None, encode_cursor([2]))
    last = cut([3], limit=2, key=key, came_with=first.next)
    assert (last.rows, last.previous, last.next) == ([3], encode_cursor([3]), None)
    back = cut([2, 1], limit=2, key=key, came_with=last.previous, backwards=True)
    assert (back.rows, back.previous, back.next) == ([1, 2], None, encode_cursor([2]))
    assert cut([], limit=2, key=key, came_with=None).next is None


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours as WCAG 2 counts it."""
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _colours() -> dict[str, str]:
    return dict(re.findall(r"--(r-[\w-]+|tblr-[\w-]+): (#[0-9a-f]{6});", CSS.read_text(encoding="utf-8")))


def test_the_measure_itself() -> None:
    assert round(contrast("#000000", "#ffffff")) == 21
    assert contrast("#777777", "#ffffff") < 4.5


def test_every_badge_and_chip_can_be_read() -> None:
    colours = _colours()
    pairs = {name: f"{name}-text" for name in colours if f"{name}-text" in colours}
    assert {"r-vencida", "r-hoy", "r-pronto", "r-cerca", "r-holgada", "r-bien", "r-mal", "r-bar"} <= pairs.keys()
    poor = {name for name, text in pairs.items() if contrast(colours[name], colours[text]) < 4.5}
    assert poor == set()


def test_text_links_and_dim_text_can_be_read_on_every_ground() -> None:
    colours = _colours()
    for text in ("r-text", "r-dim", "tblr-link-color"):
        for ground in ("r-sheet", "r-ground", "r-hover"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast("#ffffff", colours["tblr-primary"]) >= 4.5
