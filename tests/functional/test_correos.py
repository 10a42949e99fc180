"""The list of mails: what came, why it was taken for what it is, and a person's other opinion."""

from __future__ import annotations

import io

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.custodia.services import Kept, seal
from radica.custodia.store import FolderStore
from radica.glosas.correo.mail_intake import KIND_IMPORT, caso
from radica.glosas.correo.mail_models import BuzonCorreo, ClaseCorreo, Correo
from radica.glosas.models import Notificacion
from radica.jobs.models import Job
from radica.users.models import Rol
from tests import factories
from tests.plugins.web import House


def arrived(house: House, provider: int, subject: str, clase: ClaseCorreo, problema: str | None = None) -> int:
    """Add a sealed mail."""
    store = FolderStore(house.settings.store)
    stored = store.put(io.BytesIO(f"Subject: {subject}\r\n\r\nhola\r\n".encode()))
    with house.database.write() as session:
        at = factories.NOW
        seal(
            session, [Kept("correo.eml", "correo", "Buzón cartera, UID 7.", stored)], prestador_id=provider,
            case_key="provisional", group_key="", origen="importacion", actor="buzon", at=at,
        )  # fmt: skip
        row = Correo(
            prestador_id=provider, message_id="", sha256=stored.sha256, bytes=stored.bytes, asunto=subject,
            remitente="Auditoría <eps@example.com>", llegada_at=at, leido_at=at, clase=clase,
            razones=["El asunto habla de glosas."], problema=problema,
        )  # fmt: skip
        session.add(row)
        session.flush()
        seal(
            session, [Kept("correo.eml", "correo", "Buzón cartera, UID 7.", stored)], prestador_id=provider,
            case_key=caso(row.id), group_key="buzon:1", origen="importacion", actor="buzon", at=at,
        )  # fmt: skip
        return row.id


def imports(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(Job.kind == KIND_IMPORT)) or 0


def test_the_list_is_filtered_and_says_which_mailbox_is_not_read(house: House) -> None:
    provider = house.provider()
    arrived(house, provider, "Glosas FC1", ClaseCorreo.GLOSA)
    arrived(house, provider, "Asamblea anual", ClaseCorreo.OTRO, "g.rar: no se abre.")
    with house.database.write() as session:
        session.add(
            BuzonCorreo(
                prestador_id=provider,
                servidor="x",
                usuario="cartera@x.example",
                clave_cifrada=b"x",
                activo=False,
                fallo="El servidor no acepta la clave.",
            )
        )
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=provider)
    browser.open("/correos")
    assert "Glosas FC1" in browser.text
    assert "Asamblea anual" in browser.text
    assert "no acepta la clave" in browser.text
    browser.open("/correos?clase=glosa")
    assert "Glosas FC1" in browser.text
    assert "Asamblea anual" not in browser.text
    browser.open("/correos?ver=problema")
    assert "Glosas FC1" not in browser.text


def test_a_mail_says_when_it_arrived_why_it_is_what_it_is_and_what_it_brought(house: House) -> None:
    provider = house.provider()
    id_ = arrived(house, provider, "Glosas FC1", ClaseCorreo.GLOSA)
    with house.database.write() as session:
        mail = session.get_one(Correo, id_)
        session.add(
            Notificacion(
                prestador_id=provider,
                origen="correo",
                nombre="correo.eml",
                parte="GLOSAS FC1.xlsx",
                sha256=mail.sha256,
                correo_id=id_,
                recibida_at=mail.llegada_at,
                cargada_at=mail.leido_at,
                cargada_por="buzon",
                lineas=3,
                nuevas=2,
            )
        )
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=provider)
    browser.open(f"/correos/{id_}")
    for words in ("El asunto habla de glosas.", "UID 7", "GLOSAS FC1.xlsx", "3 líneas", "2 nuevas"):
        assert words in browser.text
    link = next(one for one in browser.tree().iter("a") if "descargar" in (one.get("href") or ""))
    answer = browser.open(str(link.get("href")))
    assert answer.get_data().startswith(b"Subject: Glosas FC1")


def test_a_person_says_what_it_is_and_its_files_are_loaded(house: House) -> None:
    provider = house.provider()
    id_ = arrived(house, provider, "Buenas tardes", ClaseCorreo.OTRO)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=provider)
    browser.open(f"/correos/{id_}")
    browser.fill(f"/correos/{id_}/clase", clase="glosa")
    assert "Quedó como glosas" in browser.text
    assert "en la cola" in browser.text
    with house.database.read() as session:
        assert session.get_one(Correo, id_).clase is ClaseCorreo.GLOSA
        assert imports(session) == 1


def test_who_does_not_work_with_health_data_does_not_see_mails(house: House) -> None:
    provider = house.provider()
    id_ = arrived(house, provider, "Glosas del paciente", ClaseCorreo.GLOSA)
    browser = house.entered("luis@norte.example", Rol.CARTERA, provider=provider)
    for path in ("/correos", f"/correos/{id_}"):
        browser.open(path)
        assert browser.status == 403
        assert "paciente" not in browser.text
    auditor = house.entered("eva@norte.example", Rol.AUDITORIA, provider=provider)
    auditor.open(f"/correos/{id_}")
    assert auditor.status == 200
    assert "Es otra cosa" not in auditor.text
