"""Everything a bot needs to know of one envío, read in one short transaction.

Invariant: the plan is a value; no transaction is open while files are copied or a bot works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bots import contract
from radica.app.filing.answer_plan import AnswerPlan, plan_answer
from radica.app.filing.attempt_files import FILES_FOLDER
from radica.entidades.models import Prestador
from radica.facturas.models import Documento, Factura
from radica.kernel.clock import bogota, civil_date
from radica.kernel.money import plain
from radica.portales.credentials import Vault
from radica.portales.models import CuentaPortal
from radica.radicacion.entrega import lineage_facts
from radica.radicacion.manual import packages_of
from radica.radicacion.models import Envio, Intento
from radica.radicacion.package import PackageFile
from radica.radicacion.services import facturas_of
from radica.radicacion.states import Acto


@dataclass(frozen=True)
class Plan:
    """One envío as a bot must file it. `pages` by SHA-256, where intake counted them; `lineage` of changed files."""

    arquetipo: str
    base_url: str
    perfil: dict[str, Any]
    perfil_version: str
    usuario: str = field(repr=False)
    clave: str = field(repr=False)
    limite_preparar_s: int
    limite_enviar_s: int
    nit: str
    prestador: str
    acto: str
    ronda: int
    ordenado_por: str
    facturas: tuple[Factura, ...]
    packages: dict[str, list[PackageFile]]
    pages: dict[str, int | None]
    lineage: Mapping[str, list[dict[str, Any]]]
    valor: int
    answer: AnswerPlan | None = None

    @property
    def operation(self) -> contract.Operation:
        """What the bot is started for."""
        return contract.Operation.RADICAR if self.answer is None else contract.Operation.RESPONDER

    def filing(self, folder: Path, intento: Intento) -> contract.Filing:
        """Return the filing for the pipe, with paths inside the attempt's folder."""
        return contract.Filing(
            act=self.acto,
            round=self.ronda,
            provider_nit=self.nit,
            provider_name=self.prestador,
            facturas=tuple(self._factura(row, folder) for row in self.facturas),
            fields=dict(self.perfil.get("campos", {})),
            intent_not_before=bogota(intento.intent_at).isoformat() if intento.intent_at else None,
            answer=self.answer.answer if self.answer else None,
        )

    def _factura(self, row: Factura, folder: Path) -> contract.Factura:
        files = tuple(
            contract.FilingFile(
                item.role,
                item.sigla or None,
                item.name,
                str(folder / FILES_FOLDER / item.name),
                item.sha256,
                item.bytes,
            )
            for item in self.packages[row.numero]
        )
        files += tuple(annex.file(folder) for annex in self.answer.annexes) if self.answer else ()
        return contract.Factura(
            numero=row.numero,
            valor=plain(row.valor or 0),
            cufe=row.cufe,
            cuv=row.cuv,
            fecha_expedicion=civil_date(row.expedida_at).isoformat() if row.expedida_at else None,
            files=files,
        )


def load_plan(session: Session, vault: Vault, intento_id: int) -> Plan:
    """Read the plan of an attempt; decrypts the portal's password into memory."""
    intento = session.get_one(Intento, intento_id)
    envio = session.get_one(Envio, intento.envio_id)
    account = session.get_one(CuentaPortal, envio.cuenta_id)
    prestador = session.get_one(Prestador, envio.prestador_id)
    packages: dict[str, list[PackageFile]] = {}
    pages: dict[str, int | None] = {}
    for row, files in packages_of(session, envio, prestador.nit):
        packages[row.numero] = files
        pages |= {d.sha256: d.datos.get("paginas") for d in documents_of(session, row)}
    return Plan(
        arquetipo=account.arquetipo,
        base_url=account.base_url,
        perfil=account.perfil,
        perfil_version=account.perfil_version,
        usuario=account.usuario,
        clave=vault.decrypt(account.clave_cifrada),
        limite_preparar_s=account.limite_preparar_s,
        limite_enviar_s=account.limite_enviar_s,
        nit=prestador.nit,
        prestador=prestador.nombre,
        acto=str(envio.acto),
        ronda=envio.ronda,
        ordenado_por=envio.creado_por,
        facturas=tuple(facturas_of(session, envio)),
        packages=packages,
        pages=pages,
        lineage=lineage_facts(session, envio.id, {item.sha256 for files in packages.values() for item in files}),
        valor=envio.valor,
        answer=None if envio.acto is Acto.RADICACION else plan_answer(session, envio, account.perfil),
    )


def documents_of(session: Session, factura: Factura) -> list[Documento]:
    """Return the documents in force of an invoice."""
    return list(
        session.scalars(
            select(Documento)
            .where(Documento.factura_id == factura.id, Documento.vigente.is_(True))
            .order_by(Documento.tipo, Documento.sigla, Documento.id)
        )
    )
