"""A provider with a filed invoice, a payer's portal, a mailbox, a worker and the web: what a journey of glosas needs.

Invariant: everything is the real thing: the invoice was filed by the bot, mails come from an IMAP server, pages from
the application behind its own server. A test only reads the database, to see that what a page said is true.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import select
from waitress.server import create_server

from bots.simulador.answers import Account
from bots.simulador.p2_glosas import put_account
from bots.simulador.server import Handle, start
from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.factory import create_app
from radica.app.handlers.glosas_fondo import order_mailboxes
from radica.app.house import House
from radica.app.worker import run_worker
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.glosas.correo.mailbox import crear_buzon
from radica.glosas.models import Glosa
from radica.kernel.clock import civil_date
from radica.radicacion.services import order_filings
from radica.users.login import make_hash
from radica.users.models import Rol
from radica.users.services import create_user, grant
from tests.plugins import filing
from tests.plugins.mail import PASSWORD as MAIL_PASSWORD
from tests.plugins.mail import USER, Imap
from tests.plugins.web import CHEAP, PASSWORD

NOTICE = ("Factura", "Codigo glosa", "Valor glosa", "Codigo servicio", "Numero glosa", "Motivo", "Fecha notificacion")
DECISION = (
    *("Factura", "Codigo glosa", "Valor glosa", "Numero glosa", "Valor levantado", "Valor ratificado", "Estado"),
    "Fecha notificacion",
)


@dataclass(frozen=True)
class Line:
    """One objection as the payer writes it; `valor` in whole pesos."""

    numero: str
    codigo: str
    servicio: str
    valor: int
    motivo: str


LINES = (
    Line("7001", "TA0801", "890701", 38_820, "Se cobra por encima de la tarifa pactada."),
    Line("7002", "SO0801", "902210", 37_430, "No se adjunta el resultado de la ayuda diagnóstica."),
    Line("7003", "FA0801", "19990001-1", 40_620, "La cantidad facturada difiere de la que consta en los soportes."),
    Line("7004", "TA0801", "903895", 14_060, "Se cobra por encima de la tarifa pactada."),
)
TOTAL = sum(line.valor for line in LINES)


@dataclass
class Journey:
    """The stage, and what the payer does on it."""

    house: House
    portal: Handle
    imap: Imap
    url: str
    factura_id: int
    numero: str
    pagador: str
    account: Account

    def work(self) -> None:
        """Let one worker work until nothing is left to do."""
        run_worker(self.house, ALL_HANDLERS, stop=threading.Event(), until_empty=True)

    def mail_comes(self) -> None:
        """Let the payer's notice arrive, and the clock order the mailbox."""
        mail = EmailMessage()
        mail["From"], mail["To"] = "auditoria@eps.example", "cartera@ips.example"
        mail["Subject"] = f"Notificación de glosas factura {self.numero}"
        mail["Message-ID"] = f"<glosas-{self.numero}@eps.example>"
        mail.set_content("Se remiten las glosas formuladas a la factura.")
        today = datetime.combine(civil_date(self.house.clock()), time())
        rows = [(self.numero, one.codigo, one.valor, one.servicio, one.numero, one.motivo, today) for one in LINES]
        mail.add_attachment(
            workbook(NOTICE, rows),
            maintype="application",
            subtype="vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            filename=f"glosas_{self.numero}.xlsx",
        )
        self.imap.entregar(mail, self.house.clock())
        assert order_mailboxes(self.house.db, self.house.clock()) == 1

    def decides(self, folder: Path, lifted: Sequence[str]) -> Path:
        """Let the payer decide the round at its portal; return the file that says so."""
        desk = self.portal.portal.desk
        open_ = [item for item in self.account.items if not item.lifted]
        numbers = {item.id_glosa for item in open_}
        desk.decide(self.account, dict.fromkeys(lifted, "LEVANTADA"), "RATIFICADA")
        today = datetime.combine(civil_date(self.house.clock()), time())
        rows = [
            (self.numero, one.codigo, one.valor, one.numero, one.valor, 0, "LEVANTADA", today)
            if one.numero in lifted
            else (self.numero, one.codigo, one.valor, one.numero, 0, one.valor, "RATIFICADA", today)
            for one in LINES
            if one.numero in numbers
        ]
        path = folder / f"decision_ronda_{self.account.round - 1}_{self.numero}.xlsx"
        path.write_bytes(workbook(DECISION, rows))
        return path

    def counts(self) -> tuple[int, int, int, int]:
        """Return what the portal's ledger holds: answers again, answers kept, closings kept, closings again."""
        found = self.portal.portal.desk.ledger.counts()
        return found["answers_again"], found["answers_kept"], found["closings_kept"], found["closings_again"]

    def glosas(self) -> dict[str, Glosa]:
        """Return the lines by the payer's number, after checking that the money of each adds up."""
        with self.house.db.read() as session:
            found = {row.numero_glosa or "": row for row in session.scalars(select(Glosa).order_by(Glosa.id))}
        assert set(found) == {one.numero for one in LINES}
        for line in LINES:
            row = found[line.numero]
            assert row.valor == line.valor * 100
            assert row.aceptado + row.levantado + row.en_disputa == row.valor, line
            assert min(row.aceptado, row.levantado, row.en_disputa) >= 0, line
        return found

    def money(self) -> tuple[int, int, int]:
        """Return accepted, lifted and disputed of all lines, in whole pesos; they add up to TOTAL."""
        rows = self.glosas().values()
        parts = [sum(getattr(row, name) for row in rows) for name in ("aceptado", "levantado", "en_disputa")]
        assert sum(parts) == TOTAL * 100
        return parts[0] // 100, parts[1] // 100, parts[2] // 100


def workbook(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return an Excel of one sheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("Glosas")
        for number, row in enumerate([titles, *rows]):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def _people(house: House, prestador_id: int) -> None:
    with house.db.write() as session:
        for name, roles in (("Ana Prueba", (Rol.GLOSAS, Rol.CARTERA)), ("Berta Prueba", (Rol.DIRECCION, Rol.GLOSAS))):
            mail = f"{name.split()[0].lower()}@ips.example"
            user = create_user(
                session,
                correo=mail,
                nombre=name,
                clave_hash=make_hash(PASSWORD, CHEAP),
                at=house.clock(),
                temporary=False,
            )
            grant(session, usuario_id=user.id, prestador_id=prestador_id, roles=roles, actor="prueba", at=house.clock())


def _file_invoice(house: House, portal: Handle, built: Any) -> Factura:
    """Let the bot file the invoice."""
    with house.db.write() as session:
        row = filing.seed_factura(session, house.store, built, house.clock())
        filing.account(session, house.vault, row, portal.url, usuario=built.package.provider_nit)
        done = order_filings(session, [row.id], prestador_ids=[row.prestador_id], actor="persona:1", at=house.clock())
        assert not done.rechazos
        factura_id = row.id
    run_worker(house, ALL_HANDLERS, stop=threading.Event(), until_empty=True)
    with house.db.read() as session:
        filed = session.get_one(Factura, factura_id)
        assert filed.estado is EstadoFactura.RADICADA
        return filed


def _mailbox(house: House, prestador_id: int, imap: Imap) -> None:
    with house.db.write() as session:
        crear_buzon(
            session, house.vault, prestador_id=prestador_id, servidor="127.0.0.1", puerto=imap.puerto,
            seguridad="ninguna", usuario=USER, clave=MAIL_PASSWORD, carpeta=imap.carpeta,
        )  # fmt: skip


def _bag(portal: Handle, nit: str, factura: Factura) -> Account:
    items = [
        {"id_glosa": one.numero, "servicio": one.servicio, "codigo": one.codigo, "motivo": one.motivo,
         "valor": f"{one.valor}.00"}
        for one in LINES
    ]  # fmt: skip
    worth = f"{(factura.valor or 0) // 100}.00"
    return put_account(portal.portal, {"nit": nit, "factura": factura.numero, "valor_factura": worth, "items": items})


@pytest.fixture
def journey(sqlite_url: str, tmp_path: Path, imap: Imap) -> Iterator[Journey]:
    """Yield the stage: the invoice filed, its objections in the portal's bag, two people who may enter."""
    house = filing.house_on(sqlite_url, tmp_path)
    built = next(one for one in filing.packages(4) if one.package.number == "CCP50104")
    nit = built.package.provider_nit
    config = {"users": filing.portal_users({nit}), "detect_duplicates": False}
    with start("p2", tmp_path / "libro.sqlite", config=config) as portal:
        factura = _file_invoice(house, portal, built)
        _people(house, factura.prestador_id)
        _mailbox(house, factura.prestador_id, imap)
        with house.db.read() as session:
            payer = session.get_one(Pagador, factura.pagador_id).nombre
        server = create_server(
            create_app(house.settings, house.db, house.clock, hasher=CHEAP), host="127.0.0.1", port=0, threads=4
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield Journey(
            house, portal, imap, f"http://127.0.0.1:{server.effective_port}", factura.id, factura.numero, payer,
            _bag(portal, nit, factura),
        )  # fmt: skip
        server.close()
        thread.join(5)
    house.db.dispose()
