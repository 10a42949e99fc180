"""People and what is granted to them.

Invariant: who administers a provider sees and changes only the grants of that provider; what would reach beyond it
(a new password, switching an account off) is refused while the person works for another provider too. Each grant
given or taken is a link in that provider's reading log, which nobody can rewrite.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import record_reading
from radica.entidades.models import Prestador
from radica.kernel.errors import BadInput, Forbidden, NotFound
from radica.kernel.web_identity import Person
from radica.users.access import MAX_ID, grants_in_view
from radica.users.login import close_sessions, disable_second_factor, forget_failures, set_preference
from radica.users.models import Acceso, Rol, Usuario

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")

ROLE_NAMES: dict[Rol, str] = {
    Rol.FACTURACION: "Facturación",
    Rol.GLOSAS: "Glosas",
    Rol.CARTERA: "Cartera",
    Rol.AUDITORIA: "Auditoría",
    Rol.JURIDICA: "Jurídica",
    Rol.DIRECCION: "Dirección",
    Rol.ADMINISTRACION: "Administración",
}


@dataclass(frozen=True)
class Listed:
    """A person as an administrator sees them: only the grants at the administrator's providers."""

    usuario: Usuario
    accesos: list[Acceso]
    shared: bool
    """Also works for a provider that the administrator does not administer."""


def normal_mail(correo: str) -> str:
    """Return the address in lower case. Raises BadInput when it is none."""
    text = correo.strip().lower()
    if len(text) > 254 or not _MAIL.fullmatch(text):
        raise BadInput("El correo no tiene la forma nombre@dominio.co.", todo="Corríjalo.", code="correo_malo")
    return text


def find_user(session: Session, correo: str) -> Usuario | None:
    """Return the person of an address, if any."""
    return session.scalar(select(Usuario).where(Usuario.correo == correo.strip().lower()))


def create_user(
    session: Session, *, correo: str, nombre: str, clave_hash: str, at: datetime, temporary: bool = False
) -> Usuario:
    """Add a person without grants. `clave_hash` comes from `login.make_hash`, after `passwords.check_policy`.

    `temporary`: the password is changed at the first entry. Raises BadInput when the address is taken or malformed,
    or the name is empty.
    """
    mail = normal_mail(correo)
    name = " ".join(nombre.split())
    if not name or len(name) > 200:
        raise BadInput("Falta el nombre de la persona.", todo="Escríbalo.", code="nombre_malo")
    if find_user(session, mail) is not None:
        raise BadInput("Ya existe una persona con ese correo.", todo="Déle acceso en lugar de crearla.", code="existe")
    user = Usuario(
        correo=mail, nombre=name, clave_hash=clave_hash, activo=True, fallos=0, creado_at=at, preferencias="{}"
    )
    if temporary:
        set_preference(user, "cambiar_clave", value=True)
    session.add(user)
    session.flush()
    return user


def grant(
    session: Session, *, usuario_id: int, prestador_id: int, roles: Iterable[Rol], actor: str, at: datetime
) -> list[Acceso]:
    """Give a person roles at a provider; those already held are left alone. Returns the new grants."""
    held = set(
        session.scalars(select(Acceso.rol).where(Acceso.usuario_id == usuario_id, Acceso.prestador_id == prestador_id))
    )
    added = []
    for role in sorted(set(roles) - held):
        row = Acceso(usuario_id=usuario_id, prestador_id=prestador_id, rol=role)
        session.add(row)
        added.append(row)
        _note(session, "conceder", usuario_id, prestador_id, role, actor=actor, at=at)
    session.flush()
    return added


def revoke(session: Session, acceso: Acceso, *, actor: str, at: datetime) -> None:
    """Take a grant away; it holds from the person's next click. Raises BadInput for the last administrator."""
    if acceso.rol is Rol.ADMINISTRACION:
        # Locking the provider's row makes two administrators who remove each other wait for one another.
        session.get(Prestador, acceso.prestador_id, with_for_update=True, populate_existing=True)
        others = session.scalar(
            select(Acceso.id)
            .join(Usuario, Usuario.id == Acceso.usuario_id)
            .where(
                Acceso.prestador_id == acceso.prestador_id,
                Acceso.rol == Rol.ADMINISTRACION,
                Acceso.id != acceso.id,
                Usuario.activo.is_(True),
            )
            .limit(1)
        )
        if others is None:
            raise BadInput(
                "Es la única persona que administra este prestador; no se quitó.",
                todo="Déle primero el rol a otra persona.",
                code="ultima_administracion",
            )
    _note(session, "retirar", acceso.usuario_id, acceso.prestador_id, acceso.rol, actor=actor, at=at)
    session.delete(acceso)
    session.flush()


def people_of(session: Session, provider_ids: frozenset[int]) -> list[Listed]:
    """Return who has a grant at any of `provider_ids`, by name."""
    users = session.scalars(
        select(Usuario)
        .where(Usuario.id.in_(select(Acceso.usuario_id).where(Acceso.prestador_id.in_(provider_ids))))
        .order_by(Usuario.nombre, Usuario.id)
    )
    return [_listed(user, provider_ids) for user in users]


def load_person_of(session: Session, usuario_id: int, provider_ids: frozenset[int]) -> Listed:
    """Return a person with a grant at any of `provider_ids`. Raises NotFound for everybody else."""
    user = session.get(Usuario, usuario_id) if 0 < usuario_id <= MAX_ID else None
    if user is None or not grants_in_view(session, usuario_id, provider_ids):
        raise NotFound
    return _listed(user, provider_ids)


def _listed(user: Usuario, provider_ids: frozenset[int]) -> Listed:
    seen = sorted(
        (one for one in user.accesos if one.prestador_id in provider_ids), key=lambda one: (one.prestador_id, one.rol)
    )
    return Listed(user, seen, shared=len(seen) < len(user.accesos))


def reset_password(session: Session, listed: Listed, *, clave_hash: str, at: datetime) -> None:
    """Give a person a temporary password, unlock the account and end the sessions."""
    _only_ours(listed)
    user = listed.usuario
    user.clave_hash = clave_hash
    forget_failures(user)
    set_preference(user, "cambiar_clave", value=True)
    close_sessions(session, user.id, at)


def remove_second_factor(listed: Listed) -> None:
    """Take away a lost second factor."""
    _only_ours(listed)
    disable_second_factor(listed.usuario)


def set_active(session: Session, listed: Listed, *, active: bool, me: Person, at: datetime) -> None:
    """Switch an account on or off; off ends the sessions at once."""
    _only_ours(listed)
    if listed.usuario.id == me.id:
        raise BadInput("No puede desactivar su propia cuenta.", todo="Pídaselo a otra persona que administre.")
    listed.usuario.activo = active
    if not active:
        close_sessions(session, listed.usuario.id, at)


def _only_ours(listed: Listed) -> None:
    # With it an administrator of one provider could enter another one in this person's name.
    if listed.shared:
        raise Forbidden(
            "Esta persona también trabaja para un prestador que usted no administra; no se cambió su cuenta.",
            todo="Puede quitarle los accesos a los suyos, o pedirle que cambie su contraseña ella misma.",
        )


def actor_names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """Return the names behind `usuario:12` of a history; what is no person (a bot, the clock) keeps its name."""
    wanted = set(actors)
    ids = {int(actor.removeprefix("usuario:")) for actor in wanted if re.fullmatch(r"usuario:\d{1,18}", actor)}
    names = {f"usuario:{row.id}": row.nombre for row in session.scalars(select(Usuario).where(Usuario.id.in_(ids)))}
    return {actor: names.get(actor, actor) for actor in wanted}


def _note(
    session: Session, what: str, usuario_id: int, prestador_id: int, role: Rol, *, actor: str, at: datetime
) -> None:
    record_reading(
        session,
        prestador_id=prestador_id,
        actor=actor,
        action=f"{what}_acceso",
        purpose="administracion",
        object_=f"usuario:{usuario_id} rol:{role.value}",
        at=at,
    )
