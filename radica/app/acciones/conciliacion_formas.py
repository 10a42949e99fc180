"""Forms of meetings: what was typed wrong, in words; what may be done is decided in services.

Invariant: money and percentages are typed as Colombians write them; lists (people, invoices) never lose a row on an
error; each form of a page has a prefix of its own.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FileField,
    MultipleFileField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from radica.app.acciones.comun import ACCEPT
from radica.app.acciones.formas import VersionForm
from radica.app.acciones.glosas_formas import PesosField
from radica.conciliacion.scope import Filtro
from radica.conciliacion.simulate import WHOLE, Porcentaje
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.errors import BadInput
from radica.users.forms import Form

_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?")
_SEPARATORS = re.compile(r"[\s,;]+")
MAX_NUMBERS = 500
_MINUTES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_MONEY = {"inputmode": "decimal", "autocomplete": "off"}


def read_percent(text: str) -> int:
    """Return hundredths of a percent from `25`, `33,5` or `33.50 %`; empty is 0. Raises BadInput."""
    bare = text.replace("%", "").strip()
    if not bare:
        return 0
    found = _PERCENT.fullmatch(bare)
    value = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else WHOLE + 1
    if value > WHOLE:
        raise BadInput("Un porcentaje va de 0 a 100.", todo="Escríbalo como 25 o 33,5.", code="porcentaje")
    return value


def read_percents(values: MultiDict[str, str]) -> dict[str, Porcentaje]:
    """Return what `a-CODE` and `l-CODE` ask of each code; codes with nothing asked are left out. Raises BadInput."""
    wanted = {}
    for code in sorted({name[2:] for name in values if name[:2] in ("a-", "l-")}):
        asked = Porcentaje(read_percent(values.get(f"a-{code}", "")), read_percent(values.get(f"l-{code}", "")))
        if asked.acepta or asked.levanta:
            wanted[code] = asked
    return wanted


def numbers(text: str) -> tuple[str, ...]:
    """Return the invoice numbers of a text, each once, in their order. Raises BadInput beyond MAX_NUMBERS."""
    found = tuple(dict.fromkeys(one[:40] for one in _SEPARATORS.split(text) if one))
    if len(found) > MAX_NUMBERS:
        raise BadInput(f"Son más de {MAX_NUMBERS} facturas de una vez.", todo="Escríbalas por partes.")
    return found


class ConveneForm(Form):
    """Whom to meet and about what."""

    prestador = SelectField("Prestador", coerce=int, validators=[InputRequired("Elija el prestador.")])
    pagador = SelectField("Pagador", coerce=int, validators=[InputRequired("Elija el pagador.")])
    corte = DateField(
        "Fecha de corte",
        description="Entra lo que el pagador notificó hasta ese día.",
        validators=[InputRequired("Escriba la fecha de corte.")],
    )
    codigos = StringField(
        "Códigos",
        description="FA, TA0801… Varios separados por coma; en blanco, todos.",
        validators=[Length(max=200, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    facturas = TextAreaField(
        "Facturas",
        description="Solo estas; en blanco, todas. Puede pegar una columna de Excel.",
        validators=[Length(max=20_000, message="Son demasiadas.")],
        render_kw={"rows": 2, "spellcheck": "false"},
    )
    desde = PesosField(
        "Valor en disputa desde",
        validators=[Length(max=30, message="Es demasiado largo.")],
        render_kw=_MONEY,
    )
    glosas = BooleanField("Glosas", default=True)
    devoluciones = BooleanField("Devoluciones reiteradas", default=True)
    anterior = SelectField("Continúa la conciliación", coerce=str, validators=[Optional()])

    def filtro(self) -> Filtro:
        """Return the scope that was asked. Raises BadInput with too many invoices."""
        codes = tuple(dict.fromkeys(one.upper() for one in _SEPARATORS.split(self.codigos.data or "") if one))
        return Filtro(
            fecha_corte=self.corte.data,
            codigos=codes,
            facturas=numbers(self.facturas.data or ""),
            desde=self.desde.cents,
            glosas=bool(self.glosas.data),
            devoluciones=bool(self.devoluciones.data),
        )


class MeetingForm(Form):
    """When and where the meeting is; its people come as lists beside it."""

    citada = DateTimeLocalField("Fecha y hora de la reunión", format=_MINUTES, validators=[Optional()])
    lugar = StringField("Lugar o enlace", validators=[Length(max=200, message="Es demasiado largo.")])
    notas = TextAreaField(
        "Observaciones del acta",
        validators=[Length(max=4000, message="Son más de 4000 caracteres.")],
        render_kw={"rows": 3},
    )

    def moment(self) -> datetime | None:
        """Return the instant typed, aware."""
        typed: datetime | None = self.citada.data
        return typed.replace(tzinfo=BOGOTA) if typed else None


class PromiseForm(Form):
    """A payment that the payer promises."""

    fecha = DateField("Fecha de pago", validators=[InputRequired("Escriba la fecha.")])
    valor = PesosField(
        "Valor",
        validators=[InputRequired("Escriba el valor."), Length(max=30, message="Es demasiado largo.")],
        render_kw=_MONEY,
    )
    nota = StringField("Nota", validators=[Length(max=300, message="Es demasiado larga.")])


class SignForm(VersionForm):
    """The acta as it came back."""

    fecha = DateField("Fecha de la firma", validators=[InputRequired("Escriba la fecha de la firma.")])
    pruebas = MultipleFileField(
        "Acta firmada",
        description="El PDF con las firmas de las dos partes.",
        validators=[InputRequired("Adjunte el acta firmada.")],
        render_kw={"accept": ".pdf"},
    )

    def moment(self, at: datetime) -> datetime:
        """Return the instant of the signature: noon of its day, or now when it is today: after the meeting it follows."""
        day: date = self.fecha.data
        return at if day == civil_date(at) else datetime.combine(day, time(12), tzinfo=BOGOTA)


class FailForm(VersionForm):
    """Why there was no agreement."""

    motivo = TextAreaField(
        "Por qué fracasó",
        validators=[DataRequired("Escriba el motivo."), Length(max=2000, message="Son más de 2000 caracteres.")],
        render_kw={"rows": 2},
    )
    pruebas = MultipleFileField(
        "Constancia", description="Si la hay: PDF, correo .eml o imagen.", render_kw={"accept": ACCEPT}
    )


class ReopenForm(VersionForm):
    """Why the table is worked on again."""

    motivo = TextAreaField(
        "Por qué se reabre",
        validators=[DataRequired("Escriba el motivo."), Length(max=2000, message="Son más de 2000 caracteres.")],
        render_kw={"rows": 2},
    )


class LedgerForm(Form):
    """The payer's ledger."""

    archivo = FileField(
        "Libro del pagador", validators=[InputRequired()], render_kw={"accept": ".xlsx,.xls,.xlsm,.csv,.txt"}
    )


class KeptForm(Form):
    """A promised payment arrived."""

    fecha = DateField("Fecha en que llegó", validators=[InputRequired("Escriba la fecha.")])
    valor = PesosField(
        "Valor que llegó",
        validators=[InputRequired("Escriba el valor."), Length(max=30, message="Es demasiado largo.")],
        render_kw=_MONEY,
    )
    nota = StringField("Nota", validators=[Length(max=300, message="Es demasiado larga.")])
    pruebas = MultipleFileField(
        "Soporte del pago", validators=[InputRequired("Adjunte el soporte del pago.")], render_kw={"accept": ACCEPT}
    )


class GivenUpForm(Form):
    """A promise is given up."""

    nota = StringField(
        "Por qué se desiste", validators=[DataRequired("Escriba el motivo."), Length(max=300, message="Es largo.")]
    )


def people(form: MultiDict[str, str]) -> list[dict[str, str]]:
    """Return the attendees of a form, whose three fields come as lists of equal length."""
    columns = [form.getlist(name) for name in ("nombre", "cargo", "por")]
    return [dict(zip(("nombre", "cargo", "por"), row, strict=False)) for row in zip(*columns, strict=False)]
