"""Forms of contracts and price lists: what was typed wrong, in words; what may be done is decided in services.

Invariant: a percentage is typed as Colombians write it (-10,5) and becomes hundredths in the field.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    FileField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from radica.entidades.contratos import MAX_DIAS, MAX_NUMERO
from radica.entidades.otrosies import MAX_NOTA
from radica.entidades.tarifarios import GENERAL, MAX_NOMBRE
from radica.entidades.tarifas import BASES, EVENTO, FACTOR_MAX, MODALIDADES, REDONDEOS
from radica.users.forms import Form

ACEPTA = ".xlsx,.xlsm,.xls,.csv,.txt"
_FACTOR = re.compile(r"([+-]?)\s*(\d{1,4})(?:[.,](\d{1,2}))?\s*%?")
_NOMBRES_BASE = {
    "PROPIA": "Precios propios",
    "SOAT": "SOAT, más o menos un porcentaje",
    "ISS": "ISS, más o menos un porcentaje",
}
_NOMBRES_REDONDEO = {"centavo": "Sin redondear (al centavo)", "peso": "Al peso", "centena": "A la centena de pesos"}


def leer_factor(text: str) -> int:
    """Read a percentage as hundredths: «-10,5» is -1050. Raises ValueError."""
    found = _FACTOR.fullmatch(text.strip().replace("\u2212", "-"))
    if found is None:
        raise ValueError("factor")
    sign, whole, rest = found.groups()
    value = int(Decimal(f"{whole}.{(rest or '0')}") * 100)
    value = -value if sign == "-" else value
    if not -10_000 < value <= FACTOR_MAX:
        raise ValueError("factor")
    return value


class FactorField(StringField):  # type: ignore[misc] # the library has no types
    """A percentage; `hundredths` holds it once the form is valid, 0 when nothing was typed."""

    hundredths: int = 0

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """Read what was typed."""
        typed = (self.data or "").strip()
        if not typed or validation_stopped:
            return
        try:
            self.hundredths = leer_factor(typed)
        except ValueError:
            raise ValidationError("Escriba un porcentaje entre -99,99 y 1000, como -10 o +12,5.") from None


class AgreedForm(Form):
    """What a contract agrees and an amendment changes; the labels are those of a contract."""

    cucon = StringField(
        "CUCON",
        description="64 caracteres; déjelo en blanco si SIIFA aún no lo da.",
        validators=[Length(max=80, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    desde = DateField("Rige desde", validators=[InputRequired("Escriba desde cuándo rige.")])
    hasta = DateField("Rige hasta", description="En blanco si no tiene fecha de cierre.", validators=[Optional()])
    dias_pago = IntegerField(
        "Días para pagar",
        description="Calendario, desde la radicación. Si son más que los de ley, rige la ley.",
        validators=[Optional(), NumberRange(1, MAX_DIAS, f"De 1 a {MAX_DIAS}.")],
    )
    autoriza_todos = BooleanField("Todos los servicios necesitan autorización (menos urgencias)")
    autoriza_hospitalizacion = BooleanField("La hospitalización necesita autorización")
    prefijos = StringField(
        "CUPS que necesitan autorización",
        description="Comienzos de código separados por comas: 8832, 8833, 39.",
        validators=[Length(max=2000, message="Son demasiados.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class AmendForm(AgreedForm):
    """An amendment: every term as it stays from its first day on."""

    visto = HiddenField()
    nota = TextAreaField(
        "Qué se pactó",
        description="Por ejemplo: prórroga de seis meses; tarifas 2027.",
        validators=[Length(max=MAX_NOTA, message="Es demasiado largo.")],
        render_kw={"rows": 2},
    )


class ContractForm(AgreedForm):
    """A new contract."""

    prestador = SelectField("Prestador", coerce=int, validators=[InputRequired("Elija el prestador.")])
    pagador = SelectField("Pagador", coerce=int, validators=[InputRequired("Elija el pagador.")])
    numero = StringField(
        "Número del contrato",
        description="Como lo nombra la factura en su campo NUMERO_CONTRATO.",
        validators=[DataRequired("Escriba el número."), Length(max=MAX_NUMERO, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    modalidad = SelectField(
        "Modalidad de pago",
        choices=[SelectChoice(code, name) for code, name in MODALIDADES.items()],
        default=EVENTO,
        validators=[InputRequired("Elija la modalidad.")],
        description="Solo en evento y paquete se comparan precios por servicio.",
    )


class CloseForm(Form):
    """The last day of a contract."""

    visto = HiddenField()
    hasta = DateField("Último día", description="En blanco: queda sin fecha de cierre.", validators=[Optional()])


class TermsForm(Form):
    """How a list is read."""

    nombre = StringField(
        "Nombre de la lista",
        default=GENERAL,
        description="Un contrato puede tener varias: procedimientos, medicamentos…",
        validators=[Length(max=MAX_NOMBRE, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off"},
    )
    base = SelectField(
        "Qué precios son",
        choices=[SelectChoice(one, _NOMBRES_BASE[one]) for one in BASES],
        default=BASES[0],
        validators=[InputRequired("Elija qué precios son.")],
    )
    factor = FactorField(
        "Porcentaje sobre la base",
        description="-10 baja diez por ciento, +12,5 lo sube. En blanco si son precios propios.",
        validators=[Length(max=12, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "inputmode": "text"},
    )
    redondeo = SelectField(
        "Redondeo",
        choices=[SelectChoice(one, _NOMBRES_REDONDEO[one]) for one in REDONDEOS],
        default="peso",
        validators=[InputRequired("Elija el redondeo.")],
    )
    desde = DateField("Rige desde", validators=[InputRequired("Escriba desde cuándo rige.")])
    hasta = DateField("Rige hasta", description="En blanco si no termina.", validators=[Optional()])


class LoadForm(TermsForm):
    """A file with prices, or none to take the base list of the house."""

    archivo = FileField(
        "Archivo",
        description="Excel o CSV con una columna de código o CUPS y una de valor o tarifa.",
        render_kw={"accept": ACEPTA},
    )
    sin_archivo = BooleanField("Sin archivo: tomar la lista base ya cargada")


class ConfirmForm(TermsForm):
    """A list that was looked at and is loaded now."""

    huella = HiddenField(validators=[InputRequired("Falta el archivo.")])
    original = HiddenField(validators=[Length(max=300)])
