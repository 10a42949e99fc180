"""Forms of the acting screens: what was typed wrong, in words; what may be done is decided in services.

Invariant: each form of a page has a prefix of its own, so that two forms with the same field never share an id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    IntegerField,
    MultipleFileField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import HiddenInput

from radica.app.acciones.comun import ACCEPT
from radica.kernel.clock import BOGOTA
from radica.users.forms import Form

EVIDENCE_HELP = "PDF del pagador o correo .eml: nivel 3. Imagen de la pantalla (PNG o JPG): nivel 2."


def _text(label: str, words: str, *, limit: int = 2000, help_: str = "", rows: int = 3) -> Any:
    return TextAreaField(
        label,
        description=help_,
        validators=[InputRequired(words), Length(max=limit, message=f"Son más de {limit} caracteres.")],
        render_kw={"rows": rows},
    )


class _Asked:
    """Marks a field that is asked for, though only a service can say whether what was given is enough."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, form: Any, field: Any) -> None:
        """Let everything pass."""


def _files(label: str, help_: str = EVIDENCE_HELP, *, asked: bool = False) -> Any:
    return MultipleFileField(
        label, description=help_, validators=[_Asked()] if asked else [], render_kw={"accept": ACCEPT}
    )


class VersionForm(Form):
    """A form that carries the version of the case that the page showed."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired("Falta la versión de la página.")])


class FiledForm(VersionForm):
    """The payer holds it."""

    fecha = DateTimeLocalField(
        "Fecha y hora de radicación",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        description="La que dice la constancia, en hora de Colombia.",
        validators=[InputRequired("Escriba la fecha y la hora.")],
    )
    radicado = StringField(
        "Número de radicado",
        validators=[_Asked(), Length(max=120, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    sin_numero = BooleanField("El pagador la recibió, pero todavía no dio número")
    pruebas = _files("Evidencia", asked=True)
    nota = TextAreaField("Nota", validators=[Length(max=2000)], render_kw={"rows": 2})

    def validate_radicado(self, field: Any) -> None:
        """A number, or the word that there is none."""
        typed = (field.data or "").strip()
        if not typed and not self.sin_numero.data:
            raise ValidationError("Escriba el número, o marque que el pagador todavía no lo dio.")
        if typed and self.sin_numero.data:
            raise ValidationError("Escribió un número y marcó que no hay: deje solo lo que es.")

    def moment(self) -> datetime:
        """Return the instant typed, aware."""
        typed: datetime = self.fecha.data
        return typed.replace(tzinfo=BOGOTA)


class RejectedForm(VersionForm):
    """The payer refused it."""

    motivo = _text("Motivo del pagador", "Escriba lo que dijo el pagador.", limit=4000, help_="Con sus palabras.")
    pruebas = _files("Evidencia", "Si la hay: PDF, correo .eml o imagen.")


class AbsentForm(VersionForm):
    """The payer does not hold it."""

    motivo = _text("Cómo se comprobó", "Escriba cómo se comprobó que el pagador no la tiene.")
    pruebas = _files("Evidencia", "La respuesta del pagador o la imagen de su consulta.", asked=True)
    host_apagado = BooleanField("El equipo que la envió está apagado y no volverá a enviarla")


class WithdrawForm(VersionForm):
    """It is not filed after all."""

    motivo = _text("Motivo para retirarlo", "Escriba por qué se retira.", rows=2)


class ReasonForm(VersionForm):
    """An act that needs a reason."""

    motivo = _text("Motivo", "Escriba por qué se decide así.")


class AnnulForm(VersionForm):
    """The credit note that annuls an invoice."""

    nota_credito = StringField(
        "Número de la nota crédito",
        validators=[InputRequired("Escriba el número de la nota crédito."), Length(max=60)],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    archivo = MultipleFileField(
        "XML o PDF de la nota crédito",
        description="Queda sellado como evidencia. Si ya la cargó, se toma la cargada.",
        render_kw={"accept": ".xml,.pdf"},
    )


class DiscardForm(Form):
    """A file that is not needed."""

    motivo = _text("Por qué se descarta", "Escriba por qué se descarta.", rows=2)


class AccountForm(Form):
    """An account at a payer's portal."""

    prestador = SelectField("Prestador", coerce=int, validators=[InputRequired("Elija el prestador.")])
    pagador = SelectField("Pagador", coerce=int, validators=[InputRequired("Elija el pagador.")])
    arquetipo = SelectField("Portal", validators=[InputRequired("Elija el portal.")])
    base_url = StringField(
        "Dirección del portal",
        description="Debe empezar por https://. Sin cifrado, la clave viajaría a la vista.",
        validators=[InputRequired("Escriba la dirección."), Length(max=500, message="Es demasiado larga.")],
        render_kw={"type": "url", "placeholder": "https://", "spellcheck": "false"},
    )
    usuario = StringField(
        "Usuario del portal",
        validators=[InputRequired("Escriba el usuario."), Length(max=60, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    clave = PasswordField(
        "Clave del portal",
        description="Se guarda cifrada y no se vuelve a mostrar.",
        validators=[InputRequired("Escriba la clave."), Length(max=500)],
        render_kw={"autocomplete": "new-password"},
    )
    contrato = StringField(
        "Contrato",
        description="Si el portal lo pide al radicar.",
        validators=[Optional(), Length(max=80)],
        render_kw={"autocomplete": "off"},
    )
    max_facturas = IntegerField(
        "Facturas por radicado",
        default=1,
        description="Cuántas recibe el portal en un solo envío.",
        validators=[InputRequired("Escriba cuántas."), NumberRange(1, 500, "Entre 1 y 500.")],
    )


class PasswordForm(Form):
    """A new password of a portal."""

    clave = PasswordField(
        "Clave nueva del portal",
        description="La que ya cambió en el portal. Se guarda cifrada y no se vuelve a mostrar.",
        validators=[InputRequired("Escriba la clave."), Length(max=500)],
        render_kw={"autocomplete": "new-password"},
    )


class PauseForm(Form):
    """Why the bots stop."""

    motivo = StringField(
        "Motivo de la pausa",
        validators=[InputRequired("Escriba el motivo."), Length(max=280, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off"},
    )
