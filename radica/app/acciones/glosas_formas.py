"""Forms of the screens of glosas: what was typed wrong, in words; what may be done is decided in services.

Invariant: money is typed as Colombians write it and becomes centavos here; each form of a page has a prefix of its own.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    MultipleFileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError
from wtforms.widgets import HiddenInput

from radica.app.acciones.comun import ACCEPT
from radica.glosas.bandeja.work_models import Decision
from radica.glosas.respuesta.answer_draft import MAX_REASON, MAX_TEXT, NAMES
from radica.kernel.clock import BOGOTA
from radica.kernel.errors import BadInput
from radica.kernel.money import to_cents
from radica.users.forms import Form

_DOTTED = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?")
_PLAIN = re.compile(r"\d{1,15}(?:[.,]\d{1,2})?")
EVIDENCE_HELP = "PDF o correo .eml del pagador: nivel 3. Imagen de la pantalla (PNG o JPG): nivel 2."


def read_pesos(text: str) -> int:
    """Return centavos from pesos as a person writes them: 45300, 45.300, $ 45.300,50. Raises BadInput."""
    bare = text.replace("$", "").replace(" ", "").replace("\xa0", "")
    if _DOTTED.fullmatch(bare):
        return to_cents(bare.replace(".", "").replace(",", "."))
    if _PLAIN.fullmatch(bare):
        return to_cents(bare.replace(",", "."))
    raise BadInput("No se entiende el valor.", todo="Escríbalo como 45.300 o 45.300,50.")


class _Asked:
    """Marks a field that is asked for, though only a service can say whether what was given is enough."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, form: Any, field: Any) -> None:
        """Let everything pass."""


class PesosField(StringField):  # type: ignore[misc] # the library has no types
    """An amount; `cents` holds it once the form is valid, None when nothing was typed."""

    cents: int | None = None

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        """Read what was typed."""
        typed = (self.data or "").strip()
        if not typed or validation_stopped:
            return
        try:
            self.cents = read_pesos(typed)
        except BadInput as refusal:
            raise ValidationError(str(refusal)) from None


class SeenForm(Form):
    """A form that carries the version of the objection that the page showed."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired("Falta la versión de la página.")])


class AnswerForm(SeenForm):
    """Our answer to one objection."""

    visto = HiddenField()
    plantilla = HiddenField()
    decision = RadioField(
        "Qué se decide",
        choices=[SelectChoice(one.value, NAMES[one]) for one in Decision],
        validators=[InputRequired("Elija qué se decide.")],
    )
    valor_aceptado = PesosField(
        "Valor aceptado",
        description="Solo si se acepta una parte.",
        validators=[Length(max=30, message="Es demasiado largo.")],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    texto = TextAreaField(
        "Respuesta",
        validators=[_Asked(), Length(max=MAX_TEXT, message=f"Son más de {MAX_TEXT} caracteres.")],
        render_kw={"rows": 9, "data-key": "r", "title": "Escribir la respuesta", "spellcheck": "true"},
    )
    soportes = SelectMultipleField("Soportes que la acompañan", choices=[], validate_choice=False)
    motivo = StringField(
        "Por qué se decide así",
        description="Queda en el expediente; no se envía al pagador.",
        validators=[Length(max=MAX_REASON, message=f"Son más de {MAX_REASON} caracteres.")],
        render_kw={"autocomplete": "off"},
    )

    def seen(self) -> datetime | None:
        """Return when the answer that the page showed was written."""
        try:
            moment = datetime.fromisoformat(self.visto.data) if self.visto.data else None
        except ValueError:
            return None
        return moment if moment is None or moment.tzinfo else None


class BulkForm(Form):
    """One answer for many equal lines."""

    decision = RadioField(
        "Qué se decide",
        choices=[SelectChoice(one.value, NAMES[one]) for one in Decision],
        validators=[InputRequired("Elija qué se decide.")],
    )
    porcentaje = IntegerField(
        "Porcentaje que se acepta",
        description="De cada línea, cuando se acepta una parte: de 1 a 99.",
        validators=[Optional()],
        render_kw={"inputmode": "numeric", "min": 1, "max": 99},
    )
    texto = TextAreaField(
        "Respuesta",
        description="Puede usar las variables de las plantillas, como {factura} o {item}: cada línea pone lo suyo.",
        validators=[_Asked(), Length(max=MAX_TEXT, message=f"Son más de {MAX_TEXT} caracteres.")],
        render_kw={"rows": 8},
    )
    con_soportes = BooleanField("Adjuntar a cada línea los soportes de su factura")
    motivo = StringField(
        "Por qué se decide así",
        description="Queda en el expediente; no se envía al pagador.",
        validators=[Length(max=MAX_REASON, message=f"Son más de {MAX_REASON} caracteres.")],
        render_kw={"autocomplete": "off"},
    )


class NoteForm(Form):
    """An act upon an answer that needs a reason."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired("Falta la versión de la página.")])
    motivo = StringField(
        "Motivo",
        validators=[DataRequired("Escriba por qué."), Length(max=1000, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off"},
    )


class CommentForm(Form):
    """A word to the team."""

    texto = TextAreaField(
        "Comentario",
        description="Para avisar a alguien escriba @ y la primera parte de su correo.",
        validators=[DataRequired("Escriba el comentario."), Length(max=2000, message="Son más de 2000 caracteres.")],
        render_kw={"rows": 2},
    )


class PendForm(Form):
    """Leave a line for a later day."""

    hasta = DateField("Vuelve a la bandeja el", validators=[InputRequired("Elija el día.")])
    motivo = StringField(
        "Qué se espera",
        validators=[DataRequired("Escriba qué se espera."), Length(max=300, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off"},
    )


class ActForm(SeenForm):
    """An act of the payer or a correction: when, with what evidence and why."""

    fecha = DateTimeLocalField(
        "Fecha y hora",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description="La que dice la prueba, en hora de Colombia.",
        validators=[InputRequired("Escriba la fecha y la hora.")],
    )
    pruebas = MultipleFileField("Evidencia", description=EVIDENCE_HELP, render_kw={"accept": ACCEPT})
    motivo = TextAreaField(
        "Qué dijo o por qué",
        validators=[DataRequired("Escriba lo que consta."), Length(max=2000, message="Son más de 2000 caracteres.")],
        render_kw={"rows": 2},
    )

    def moment(self) -> datetime:
        """Return the instant typed, aware."""
        typed: datetime = self.fecha.data
        return typed.replace(tzinfo=BOGOTA)


class DecisionForm(ActForm):
    """What the payer decided."""

    pruebas = MultipleFileField(
        "Evidencia",
        description=EVIDENCE_HELP,
        validators=[InputRequired("Falta la prueba de lo que decidió el pagador.")],
        render_kw={"accept": ACCEPT},
    )

    resultado = RadioField(
        "Qué decidió el pagador",
        choices=[
            SelectChoice("levantada", "La levantó toda"),
            SelectChoice("parcial", "La levantó en parte"),
            SelectChoice("ratificada", "La ratificó"),
        ],
        validators=[InputRequired("Elija qué decidió.")],
    )
    levantado = PesosField(
        "Valor levantado",
        description="Solo si la levantó en parte.",
        validators=[Length(max=30, message="Es demasiado largo.")],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )


class ReasonOnlyForm(SeenForm):
    """An act of ours that needs a reason, and takes evidence."""

    pruebas = MultipleFileField("Evidencia", description="Si la hay.", render_kw={"accept": ACCEPT})
    motivo = TextAreaField(
        "Motivo",
        validators=[DataRequired("Escriba por qué."), Length(max=2000, message="Son más de 2000 caracteres.")],
        render_kw={"rows": 2},
    )


class NoticeForm(Form):
    """Files in which a payer objects or decides."""

    prestador = SelectField("Prestador", coerce=int, validators=[InputRequired("Elija el prestador.")])
    pagador = SelectField("Pagador", description="Si lo deja en blanco, se toma del archivo.", validators=[Optional()])
    recibida = DateTimeLocalField(
        "Recibida el",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description="Desde ese día se cuenta el término. Sin ella se toma la fecha del archivo.",
        validators=[Optional()],
    )
    archivos = MultipleFileField(
        "Archivos",
        validators=[_Asked()],
        description="Excel, CSV, TXT, PDF, correos .eml o .msg, o un ZIP con varios.",
        render_kw={"accept": ".xlsx,.xls,.xlsm,.csv,.txt,.pdf,.eml,.msg,.zip,.json,.xml"},
    )

    def moment(self) -> datetime | None:
        """Return the instant typed, aware."""
        typed: datetime | None = self.recibida.data
        return typed.replace(tzinfo=BOGOTA) if typed else None
