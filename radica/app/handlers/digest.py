"""What a person should know this morning about glosas and devoluciones, as one mail.

Invariant: no health data (numbers of invoices, codes, amounts and names of payers only); the figures come from the
very conditions of the trays that the links open; nothing to say is no mail. Norms: Ley 1438/2011 art. 57, Res.
2284/2023 art. 6 (terms); Ley 1581/2012 arts. 5-6 (what a mail must not carry).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from email.message import EmailMessage
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.urgencia import NOMBRES, rangos
from radica.entidades.models import EstadoPrestador, Prestador
from radica.glosas.bandeja import tray
from radica.glosas.bandeja.tray_filter import DEVOLUCIONES, GLOSAS, SIN, Filtro
from radica.glosas.models import Glosa
from radica.kernel.money import format_cop
from radica.plazos.rules import Paso, estado_fecha
from radica.users.models import Acceso, Rol, Usuario

ROLES = (Rol.GLOSAS, Rol.DIRECCION)
"""Whose work, or whose watch, the trays are."""
STEPS = (Paso.VENCIDA.value, Paso.VENCE_HOY.value, Paso.DE_1_A_2.value)
SHOWN_OWN, SHOWN_OTHERS = 15, 10
ADDRESS = {GLOSAS: "/glosas", DEVOLUCIONES: "/glosas/devoluciones"}
NAMES = {GLOSAS: "Glosas", DEVOLUCIONES: "Devoluciones"}


@dataclass(frozen=True)
class Cuenta:
    """How many lines of one tray stand at one step, and centavos: the person's, without owner, and all in view."""

    clase: str
    paso: str
    mias: tuple[int, int]
    sin_responsable: tuple[int, int]
    todas: tuple[int, int]


@dataclass(frozen=True)
class Renglon:
    """A line that presses: when, what, how much and whose."""

    vence: str
    factura: str
    codigo: str
    pagador: str
    prestador: str
    centavos: int
    responsable: str
    ruta: str


@dataclass(frozen=True)
class Resumen:
    """What presses a person."""

    nombre: str
    correo: str
    hoy: date
    cuentas: Sequence[Cuenta]
    renglones: Sequence[Renglon]
    varios_prestadores: bool

    @property
    def alguna(self) -> bool:
        """True when there is anything to say."""
        return any(one.todas[0] for one in self.cuentas)

    def suma(self, paso: str) -> tuple[int, int]:
        """Return lines and centavos of one step over both trays."""
        chosen = [one.todas for one in self.cuentas if one.paso == paso]
        return sum(one[0] for one in chosen), sum(one[1] for one in chosen)


def resumen_de(session: Session, usuario_id: int, hoy: date) -> Resumen | None:
    """Return what presses a person on `hoy`; None when the person has no work of this kind or is switched off."""
    user = session.get(Usuario, usuario_id)
    if user is None or not user.activo:
        return None
    granted = session.execute(
        select(Prestador.id, Prestador.nombre)
        .join(Acceso, Acceso.prestador_id == Prestador.id)
        .where(
            Acceso.usuario_id == usuario_id,
            Acceso.rol.in_([one.value for one in ROLES]),
            Prestador.estado == EstadoPrestador.ACTIVO.value,
        )
    )
    providers = {row.id: row.nombre for row in granted}
    if not providers:
        return None
    base = Filtro(frozenset(providers), hoy)
    trays = [replace(base, clase=clase) for clase in (GLOSAS, DEVOLUCIONES)]
    return Resumen(
        nombre=user.nombre,
        correo=user.correo,
        hoy=hoy,
        cuentas=[one for f in trays for one in _counts(session, f, usuario_id)],
        renglones=_lines(session, trays, usuario_id, providers),
        varios_prestadores=len(providers) > 1,
    )


def _counts(session: Session, f: Filtro, usuario_id: int) -> list[Cuenta]:
    mine = tray.by_day(session, replace(f, responsable=str(usuario_id)))
    free = tray.by_day(session, replace(f, responsable=SIN))
    whole = tray.by_day(session, f)

    def inside(days: Sequence[tray.Dia], step: str) -> tuple[int, int]:
        limits = rangos(f.hoy)[step]
        chosen = [
            one
            for one in days
            if one.vence is not None
            and (limits.desde is None or limits.desde <= one.vence)
            and (limits.hasta is None or one.vence <= limits.hasta)
        ]
        return sum(one.cuantas for one in chosen), sum(one.valor for one in chosen)

    return [Cuenta(f.clase, step, inside(mine, step), inside(free, step), inside(whole, step)) for step in STEPS]


def _lines(session: Session, trays: Sequence[Filtro], usuario_id: int, providers: dict[int, str]) -> list[Renglon]:
    """Return the person's own lines first, then those that nobody owns, then the others', each by last day."""
    last = rangos(trays[0].hoy)[Paso.DE_1_A_2.value].hasta
    found: dict[tuple[str, int], Renglon] = {}
    for owner, limit in ((str(usuario_id), SHOWN_OWN), (SIN, SHOWN_OTHERS), ("", SHOWN_OTHERS)):
        rows = [
            row
            for f in trays
            for row in tray.rows_of(
                session, replace(f, responsable=owner, hasta=last), None, backwards=False, limit=limit + len(found)
            )
        ]
        fresh = [row for row in rows if row.vence is not None and (row.KIND, row.id) not in found]
        fresh.sort(key=lambda row: (row.vence or date.max, row.KIND, row.id))
        for one in tray.with_names(session, fresh[:limit]):
            found[one.objecion.KIND, one.objecion.id] = _line(one, trays[0].hoy, providers)
    return list(found.values())


def _line(one: tray.Linea, hoy: date, providers: dict[int, str]) -> Renglon:
    row = one.objecion
    kind = "glosa" if isinstance(row, Glosa) else "devolucion"
    return Renglon(
        vence=estado_fecha(row.vence, hoy).texto if row.vence else "",
        factura=one.factura,
        codigo=row.codigo,
        pagador=one.pagador,
        prestador=providers.get(row.prestador_id, ""),
        centavos=one.dinero,
        responsable=one.responsable or "sin responsable",
        ruta=f"/glosas/{kind}/{row.id}",
    )


_SAID = (
    ("vencida", "vencidas"),
    ("vence hoy", "vencen hoy"),
    ("vence en 1 a 2 días hábiles", "vencen en 1 a 2 días hábiles"),
)


def asunto(found: Resumen) -> str:
    """Return the subject: what presses most first."""
    words = []
    for step, (one, many) in zip(STEPS, _SAID, strict=True):
        count, cents = found.suma(step)
        if count:
            words.append(f"{count} {one if count == 1 else many} ({format_cop(cents)})")
    return f"Glosas {found.hoy:%d/%m/%Y}: {'; '.join(words)}"


def mensaje(found: Resumen, *, remitente: str, enlaces: str, message_id: str) -> EmailMessage:
    """Return the mail, as text and as HTML. `enlaces` is the address of the application, "" for a mail without links."""
    message = EmailMessage()
    message["Subject"] = asunto(found)
    message["From"], message["To"] = remitente, found.correo
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(found, enlaces))
    message.add_alternative(_html(found, enlaces), subtype="html")
    return message


def _step_address(clase: str, step: str, enlaces: str) -> str:
    return f"{enlaces}{ADDRESS[clase]}?urgencia={step}" if enlaces else ""


def _text(found: Resumen, enlaces: str) -> str:
    lines = [f"{found.nombre}, esto apremia hoy {found.hoy:%d/%m/%Y}:", ""]
    for one in found.cuentas:
        if not one.todas[0]:
            continue
        lines.append(
            f"{NAMES[one.clase]} · {NOMBRES[one.paso]}: {one.todas[0]} por {format_cop(one.todas[1])} "
            f"(suyas: {one.mias[0]} por {format_cop(one.mias[1])}; sin responsable: {one.sin_responsable[0]})"
        )
        if address := _step_address(one.clase, one.paso, enlaces):
            lines.append(f"  {address}")
    lines.append("")
    for row in found.renglones:
        whose = f" · {row.prestador}" if found.varios_prestadores else ""
        lines.append(
            f"- {row.vence}: factura {row.factura}, {row.codigo}, {format_cop(row.centavos)}, {row.pagador}{whose} · "
            f"{row.responsable}"
        )
        if enlaces:
            lines.append(f"  {enlaces}{row.ruta}")
    lines += ["", "Este correo lo envía radica solo a las horas que usted eligió; no lo responda."]
    return "\n".join(lines) + "\n"


_CELL = 'style="padding:4px 10px;border-bottom:1px solid #ddd;text-align:{align}"'


def _html(found: Resumen, enlaces: str) -> str:
    left, right = _CELL.format(align="left"), _CELL.format(align="right")

    def linked(words: str, address: str) -> str:
        return f'<a href="{escape(address)}">{escape(words)}</a>' if address else escape(words)

    steps = "".join(
        f"<tr><td {left}>{linked(f'{NAMES[one.clase]} · {NOMBRES[one.paso]}', _step_address(one.clase, one.paso, enlaces))}"
        f"</td><td {right}>{one.todas[0]}</td><td {right}>{format_cop(one.todas[1])}</td><td {right}>{one.mias[0]}</td>"
        f"<td {right}>{one.sin_responsable[0]}</td></tr>"
        for one in found.cuentas
        if one.todas[0]
    )
    rows = "".join(
        f"<tr><td {left}>{escape(row.vence)}</td>"
        f"<td {left}>{linked(row.factura, f'{enlaces}{row.ruta}' if enlaces else '')}</td>"
        f"<td {left}>{escape(row.codigo)}</td><td {right}>{format_cop(row.centavos)}</td>"
        f"<td {left}>{escape(row.pagador)}{escape(f' · {row.prestador}') if found.varios_prestadores else ''}</td>"
        f"<td {left}>{escape(row.responsable)}</td></tr>"
        for row in found.renglones
    )

    def head(*titles: str) -> str:
        return "<tr>" + "".join(f"<th {left}>{title}</th>" for title in titles) + "</tr>"

    return (
        '<html lang="es"><body style="font-family:Segoe UI,Arial,sans-serif;color:#1d273b">'
        f"<p>{escape(found.nombre)}, esto apremia hoy {found.hoy:%d/%m/%Y}:</p>"
        f'<table style="border-collapse:collapse">{head("", "Líneas", "En juego", "Suyas", "Sin responsable")}{steps}'
        f'</table><p></p><table style="border-collapse:collapse">'
        f"{head('Término', 'Factura', 'Código', 'En juego', 'Pagador', 'Responsable')}{rows}</table>"
        '<p style="color:#667">Este correo lo envía radica solo a las horas que usted eligió; no lo responda.</p>'
        "</body></html>"
    )
