"""The door of archetype P2: the same for filing accounts and for answering their glosas.

Invariant: a refused password or a captcha is a person's matter and is never tried again by itself.
"""

from bots.portals.base import person
from bots.portals.work import Work

LOGIN = "/app"
USER, PASSWORD, ENTER = "#usuarioIngreso", "#contraseniaIngreso", "#validarSesion"
LOGGED_IN, LOGIN_ERROR = "#nombrePrestador", "#errorIngreso"


def enter(work: Work) -> None:
    """Enter with code and password; Halt when they are refused or a captcha stands before the door."""
    tab = work.tab
    tab.open(LOGIN)
    tab.fill(USER, work.start.credentials.usuario, "código del prestador")
    tab.no_captcha()
    tab.fill(PASSWORD, work.start.credentials.clave, "contraseña")
    tab.press(ENTER, "Ingresar")
    seen = tab.wait_any({"in": LOGGED_IN, "refused": LOGIN_ERROR}, limit_s=tab.step_limit_s)
    if seen == "refused":
        tab.no_captcha()
        raise person("credenciales", "El portal no aceptó el usuario o la contraseña. Actualice la cuenta.")
    if seen is None:
        tab.need(LOGGED_IN, "nombre del prestador", within_s=0.1)
    tab.inside = True
