"""Forms of dossiers: what was typed wrong, in words; what may be done is decided in services.

Invariant: each form of a page has a prefix of its own; closed lists come from the models.
"""

from __future__ import annotations

from wtforms import DateField, MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from radica.app.acciones.formas import VersionForm
from radica.prejuridico.capitulos.partes import NOMBRES
from radica.prejuridico.models import Via
from radica.users.forms import Form

VIAS = [
    SelectChoice(Via.EJECUTIVO.value, "Ejecutiva: la factura con sus pruebas es el título (CGP art. 422)"),
    SelectChoice(Via.DECLARATIVO.value, "Declarativa: hay que probar la obligación"),
]


class OrderForm(Form):
    """Which dossier is wanted."""

    via = SelectField(
        "Vía",
        choices=VIAS,
        description="Decide qué documentos entran y en qué orden.",
        validators=[InputRequired("Elija la vía.")],
    )
    corte = DateField(
        "Fecha de corte",
        description="Los intereses y los términos se cuentan hasta este día.",
        validators=[InputRequired("Escriba la fecha de corte.")],
    )
    ciudad = StringField(
        "Ciudad", description="Para la carátula y el índice; puede quedar vacía.", validators=[Length(max=80)]
    )
    despacho = StringField("Despacho", description="Juzgado o entidad, si ya se sabe.", validators=[Length(max=160)])


class DeliverForm(VersionForm):
    """To whom it was handed."""

    a_quien = StringField(
        "A quién se entrega", validators=[DataRequired("Escriba a quién se entrega."), Length(max=200)]
    )


class LawsuitForm(VersionForm):
    """The number of the process."""

    radicado = StringField(
        "Número del proceso",
        description="Los 23 dígitos del acta de reparto.",
        validators=[DataRequired("Escriba los 23 dígitos."), Length(max=40)],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )


class DiscardForm(VersionForm):
    """Why it is given up."""

    motivo = TextAreaField(
        "Por qué se descarta",
        validators=[DataRequired("Escriba el motivo."), Length(max=500, message="Son más de 500 caracteres.")],
        render_kw={"rows": 2},
    )


class RetryForm(VersionForm):
    """Order it again."""


ACTS: dict[str, tuple[type[VersionForm], tuple[str, ...]]] = {
    "entregar": (DeliverForm, ("a_quien",)),
    "demandar": (LawsuitForm, ("radicado",)),
    "descartar": (DiscardForm, ("motivo",)),
    "reintentar": (RetryForm, ()),
}
"""The acts upon a dossier: the form of each (its prefix is the act), and the words its service takes from it."""


class BringForm(Form):
    """A document that only a person has. `para`: `prestador`, or `pagador` or `factura` by what is typed beside it."""

    prestador = SelectField("Prestador", coerce=int, validators=[InputRequired("Elija el prestador.")])
    tipo = SelectField(
        "Qué es",
        choices=[SelectChoice(kind.value, words) for kind, words in NOMBRES.items()],
        validators=[InputRequired("Diga qué documento es.")],
    )
    fecha = DateField("Fecha del documento", validators=[InputRequired("Escriba la fecha del documento.")])
    pagador = SelectField("Sirve contra", coerce=str, validators=[Optional()])
    factura = StringField(
        "Solo para la factura",
        description="Su número; vacío si sirve para todas.",
        validators=[Length(max=40)],
    )
    nota = StringField("Nota", validators=[Length(max=300, message="Es demasiado larga.")])
    archivos = MultipleFileField(
        "Archivo", description="PDF o imagen; de un evento 030 a 034, también su XML.", validators=[InputRequired("Adjunte el archivo.")],
        render_kw={"accept": ".pdf,.png,.jpg,.jpeg,.xml"},
    )  # fmt: skip
