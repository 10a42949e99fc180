"""Forms of cartera: what was typed wrong, in words; what may be done is decided in services.

Invariant: money is typed as Colombians write it and becomes centavos in the field.
"""

from __future__ import annotations

from wtforms import DateField, MultipleFileField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from radica.app.acciones.comun import ACCEPT
from radica.app.acciones.glosas_formas import PesosField
from radica.cartera.models import ConceptoPago
from radica.cartera.pagos import NOMBRES
from radica.users.forms import Form


class PaymentForm(Form):
    """Money that arrived for an invoice."""

    fecha = DateField("Fecha en que llegó", validators=[InputRequired("Escriba la fecha.")])
    valor = PesosField(
        "Valor",
        validators=[InputRequired("Escriba el valor."), Length(max=30, message="Es demasiado largo.")],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    concepto = SelectField(
        "Qué es",
        choices=[SelectChoice(one.value, NOMBRES[one]) for one in ConceptoPago],
        default=ConceptoPago.PAGO.value,
    )
    referencia = StringField(
        "Referencia",
        description="Número de la transferencia o del comprobante.",
        validators=[Length(max=120, message="Es demasiado larga.")],
        render_kw={"autocomplete": "off"},
    )
    nota = StringField("Nota", validators=[Length(max=1000, message="Es demasiado larga.")])
    pruebas = MultipleFileField(
        "Soporte del pago",
        description="PDF, correo .eml o imagen; queda en custodia. Sin él, el pago se muestra sin soporte.",
        render_kw={"accept": ACCEPT},
    )


class ReverseForm(Form):
    """A payment that was entered by mistake."""

    motivo = StringField(
        "Por qué se anula",
        validators=[DataRequired("Escriba por qué se anula."), Length(max=1000, message="Es demasiado largo.")],
    )
