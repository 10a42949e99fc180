"""How values read on a page: es-CO money, dates in Bogota, sizes.

Invariant: pure; every template uses these filters and no other, so that the same value reads the same everywhere.
"""

from __future__ import annotations

from datetime import date, datetime

from radica.kernel.clock import bogota
from radica.kernel.money import format_cop

NOTHING = "—"
MONTHS = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")
MONTHS_LONG = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")


def cop(cents: int | None) -> str:
    """Write centavos as `$ 1.234.567`, or a dash when nobody told the amount."""
    return NOTHING if cents is None else format_cop(cents)


def cop_short(cents: int | None) -> str:
    """Write centavos for a tile: `$ 96 M`, `$ 1.284 M`, or in full below one million."""
    if cents is None:
        return NOTHING
    millions, rest = divmod(abs(cents), 100_000_000)
    if not millions:
        return format_cop(cents - cents % 100 if cents > 0 else cents)
    tenths = rest // 10_000_000
    text = f"{millions:,}".replace(",", ".") + (f",{tenths}" if millions < 10 and tenths else "")
    return f"{'-' if cents < 0 else ''}$ {text} M"


def fecha(value: date | datetime | None) -> str:
    """Write a day as `21 nov 2026`; an instant is read in Bogota."""
    if value is None:
        return NOTHING
    day = bogota(value).date() if isinstance(value, datetime) else value
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def fecha_hora(value: datetime | None) -> str:
    """Write an instant as `21 nov 2026, 14:05` in Bogota."""
    return NOTHING if value is None else f"{fecha(value)}, {bogota(value):%H:%M}"


def fecha_larga(value: date | datetime | None) -> str:
    """Write a day as `sábado, 21 de noviembre de 2026`."""
    if value is None:
        return NOTHING
    day = bogota(value).date() if isinstance(value, datetime) else value
    return f"{WEEKDAYS[day.weekday()]}, {day.day} de {MONTHS_LONG[day.month - 1]} de {day.year}"


def iso(value: date | datetime | None) -> str:
    """Write the machine-readable form for `<time datetime>`."""
    return "" if value is None else value.isoformat()


def size(count: int | None) -> str:
    """Write bytes as `1,4 MB` (decimal units)."""
    if count is None:
        return NOTHING
    if count < 1000:
        return f"{count} B"
    tenths, unit = count * 10 // 1000, "kB"
    for bigger in ("MB", "GB", "TB"):
        if tenths < 10_000:
            break
        tenths, unit = tenths // 1000, bigger
    whole, tenth = divmod(tenths, 10)
    return f"{whole},{tenth} {unit}" if whole < 100 and tenth else f"{whole} {unit}"


def entero(value: int | None) -> str:
    """Write a count with dots: `10.000`."""
    return NOTHING if value is None else f"{value:,}".replace(",", ".")


def plural(count: int, one: str, many: str) -> str:
    """Write `1 factura` or `12.000 facturas`."""
    return f"{entero(count)} {one if count == 1 else many}"


FILTERS = {
    "cop": cop,
    "cop_corto": cop_short,
    "fecha": fecha,
    "fecha_hora": fecha_hora,
    "fecha_larga": fecha_larga,
    "iso": iso,
    "bytes": size,
    "entero": entero,
    "plural": plural,
}
