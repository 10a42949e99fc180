"""The dossier's page of files that were changed to be handed in: there only when something was, and honest of its proof."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pypdfium2
import pytest
from sqlalchemy import select

from radica.app.house import House
from radica.facturas.models import Documento, TipoDocumento
from radica.prejuridico.contenido import Contenido
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio, EnvioFactura
from tests.expediente_seed import Caso, make_caso
from tests.integration.test_expediente_exportar import contents

VERSION = "pikepdf 9.0"


@pytest.fixture
def caso(hands: House) -> Caso:
    return make_caso(hands, story=False)


def change(
    caso: Caso, factura_id: int, operations: Sequence[tuple[str, str, bool]], *, foreign: bool = False
) -> Documento:
    """Write how a support of an invoice was changed: operation, letter of the sent hash, whether its text stayed."""
    with caso.house.db.write() as session:
        line = session.scalars(select(EnvioFactura).where(EnvioFactura.factura_id == factura_id)).one()
        support = session.scalars(
            select(Documento).where(Documento.factura_id == factura_id, Documento.tipo == TipoDocumento.SOPORTE)
        ).first()
        assert support is not None
        for number, (operation, letter, same) in enumerate(operations, 1):
            session.add(
                Linaje(
                    prestador_id=caso.prestador_id, factura_id=factura_id, envio_id=line.envio_id,
                    sha256_original=support.sha256, operacion=operation, version=VERSION, sha256_enviado=letter * 64,
                    orden=number, paginas_original=3, paginas_enviado=3, texto_igual=same, prueba={},
                    at=caso.house.clock(),
                )
            )  # fmt: skip
        return support


def pages_text(data: bytes) -> tuple[str, str]:
    """Return the words of a PDF in one line, and without blanks: a cell breaks long hashes."""
    with closing(pypdfium2.PdfDocument(data)) as paper:
        text = "".join(page.get_textpage().get_text_range() for page in paper)
    return " ".join(text.split()), "".join(text.split())


def pages(content: Contenido) -> list[tuple[str | None, bytes]]:
    """Return invoice and bytes of each page of lineage."""
    return [(one.factura, one.datos or b"") for _, one in content.documentos() if one.nombre_base == "CambiosArchivos"]


def test_a_changed_file_is_told_by_its_hashes_beside_its_filing(caso: Caso) -> None:
    support = change(caso, caso.facturas[0], [("dividir", "e", True), ("dividir", "f", True)])
    content = contents(caso, caso.order())
    ((invoice, page),) = pages(content)
    words, joined = pages_text(page)
    for told in (VERSION, "parte 2", "El texto es igual"):
        assert told in words
    for told in (support.sha256, "e" * 64, "f" * 64, support.nombre):
        assert told in joined
    filing = next(one for one in content.capitulos if one.clave == "radicacion")
    kinds = [one.nombre_base for one in filing.documentos if one.factura == invoice]
    assert kinds.index("CambiosArchivos") > kinds.index("ConstanciaEnvio")
    assert "cambio_sin_prueba" not in {one.codigo for one in content.huecos}


def test_what_was_filed_as_it_was_has_no_such_page(caso: Caso) -> None:
    assert pages(contents(caso, caso.order())) == []


def test_a_change_without_proof_is_a_declared_gap(caso: Caso) -> None:
    change(caso, caso.facturas[0], [("comprimir", "e", False)])
    content = contents(caso, caso.order())
    (gap,) = [one for one in content.huecos if one.codigo == "cambio_sin_prueba"]
    assert "e" * 64 in gap.texto
    ((_, page),) = pages(content)
    assert "NO es igual" in pages_text(page)[0]


def test_of_an_invoice_outside_the_dossier_nothing_is_told(caso: Caso) -> None:
    change(caso, caso.facturas[1], [("comprimir", "e", True)])
    alone = Caso(caso.house, caso.prestador_id, caso.pagador_id, caso.facturas[:1])
    with caso.house.db.write() as session:  # both went in one envío
        mine = session.scalars(select(EnvioFactura).where(EnvioFactura.factura_id == caso.facturas[0])).one()
        first = session.get_one(Envio, mine.envio_id)
        session.add(
            Linaje(
                prestador_id=caso.prestador_id, factura_id=caso.facturas[1], envio_id=first.id,
                sha256_original="a" * 64, operacion="comprimir", version=VERSION, sha256_enviado="b" * 64, orden=1,
                paginas_original=1, paginas_enviado=1, texto_igual=True, prueba={}, at=caso.house.clock(),
            )
        )  # fmt: skip
    assert pages(contents(alone, alone.order())) == []
