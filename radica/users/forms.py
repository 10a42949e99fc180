"""Forms of entering, of one's own account and of the people of a provider.

Invariant: a form only says what was typed wrong; what may be done is decided in services. Texts are Spanish and say
what to write.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import EqualTo, InputRequired, Length

from radica.users.models import Rol
from radica.users.passwords import MAX_LENGTH, MIN_LENGTH
from radica.users.services import ROLE_NAMES

ROLE_CHOICES = [SelectChoice(role.value, name) for role, name in ROLE_NAMES.items()]


class Form(FlaskForm):  # type: ignore[misc] # the library has no types
    """The house's form: messages of the library in Spanish, those of ours in the fields."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc] # same
        """Options of the library."""

        locales: ClassVar[list[str]] = ["es"]


def _required(text: str) -> InputRequired:
    return InputRequired(text)


def _mail(label: str = "Correo") -> Any:
    return StringField(
        label,
        validators=[_required("Escriba el correo."), Length(max=254, message="El correo es demasiado largo.")],
        render_kw={"type": "email", "autocomplete": "username", "spellcheck": "false"},
    )


class LoginForm(Form):
    """Who enters."""

    correo = _mail()
    clave = PasswordField(
        "Contraseña",
        validators=[_required("Escriba la contraseña."), Length(max=MAX_LENGTH, message="Es demasiado larga.")],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class CodeForm(Form):
    """The second factor."""

    codigo = StringField(
        "Código de seis cifras",
        validators=[_required("Escriba el código."), Length(max=12, message="Son seis cifras.")],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"},
    )


class PasswordForm(Form):
    """One's own password."""

    actual = PasswordField(
        "Contraseña actual",
        validators=[_required("Escriba la contraseña actual."), Length(max=MAX_LENGTH)],
        render_kw={"autocomplete": "current-password"},
    )
    nueva = PasswordField(
        "Contraseña nueva",
        description=f"Al menos {MIN_LENGTH} caracteres. Una frase de varias palabras es lo mejor.",
        validators=[
            _required("Escriba la contraseña nueva."),
            Length(min=MIN_LENGTH, max=MAX_LENGTH, message=f"Debe tener entre {MIN_LENGTH} y {MAX_LENGTH} caracteres."),
        ],
        render_kw={"autocomplete": "new-password"},
    )
    repetida = PasswordField(
        "Contraseña nueva, otra vez",
        validators=[
            _required("Escríbala otra vez."),
            EqualTo("nueva", message="No es igual a la contraseña nueva."),
        ],
        render_kw={"autocomplete": "new-password"},
    )


class RemoveFactorForm(Form):
    """Taking the second factor off needs the password: an open screen must not be enough."""

    actual = PasswordField(
        "Contraseña actual",
        validators=[_required("Escriba la contraseña actual."), Length(max=MAX_LENGTH)],
        render_kw={"autocomplete": "current-password"},
    )


class GrantForm(Form):
    """Roles at a provider."""

    prestador = SelectField("Prestador", coerce=int, validators=[_required("Elija el prestador.")])
    roles = SelectMultipleField(
        "Roles",
        choices=ROLE_CHOICES,
        validators=[_required("Elija al menos un rol.")],
        description="Solo valen para el prestador elegido.",
    )

    def chosen(self) -> list[Rol]:
        """Return the roles."""
        return [Rol(value) for value in self.roles.data]


class NewPersonForm(GrantForm):
    """A person to whom something is granted at once: without a provider nobody would see them."""

    correo = StringField(
        "Correo",
        description="Con él entra. Si la persona ya tiene cuenta, conserva su nombre y su contraseña.",
        validators=[_required("Escriba el correo."), Length(max=254, message="El correo es demasiado largo.")],
        render_kw={"type": "email", "autocomplete": "off", "spellcheck": "false"},
    )
    nombre = StringField(
        "Nombre completo",
        validators=[_required("Escriba el nombre."), Length(max=200, message="El nombre es demasiado largo.")],
        render_kw={"autocomplete": "off"},
    )


class EmptyForm(Form):
    """A button: only the token that proves the page is ours."""
