"""`radica glosas exportar`, `carta` and `plantillas` as an operator uses them: files, refusals, versions, reading log."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from sqlalchemy import select

from radica.app.cli import program
from radica.app.demo.pdf import Line, write_pdf
from radica.audit.models import AccessLog
from radica.custodia.models import Blob
from radica.custodia.services import record_blobs
from radica.custodia.store import FolderStore
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.states import EstadoRespuesta
from radica.kernel.config import load_settings
from radica.kernel.db import Database
from tests.plugins import glosas as casos


@pytest.fixture
def base(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)
    database = Database(sqlite_url)
    yield database
    database.dispose()


@pytest.fixture
def radica(base: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(*words: str) -> tuple[int, str, str]:
        place = () if words[0] == "plantillas" else ("--salida", str(tmp_path))
        code = program.main(["--datos", str(tmp_path / "datos"), "glosas", *words, *place])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def nit(base: Database, tmp_path: Path) -> str:
    """Two approved answers to one payer, one with a support, and a draft."""
    with base.write() as session:
        factura = casos.filed(session, numero="FE4001")
        first = casos.answer(session, casos.glosa(session, factura, numero_glosa="77"), estado=EstadoRespuesta.APROBADA)
        first.soportes = [_support(session, factura, tmp_path)]
        casos.answer(
            session, casos.glosa(session, factura, 2_000_000, numero_glosa="78"), estado=EstadoRespuesta.APROBADA
        )
        casos.answer(session, casos.glosa(session, factura, 3_000_000), estado=EstadoRespuesta.BORRADOR)
        return session.get_one(Prestador, factura.prestador_id).nit


def _support(session, factura: Factura, folder: Path) -> str:
    store = FolderStore(load_settings({}, datos=str(folder / "datos")).store)
    data = write_pdf([Line("Epicrisis", "title")], title="x", when=datetime(2026, 1, 1, tzinfo=UTC))
    stored = store.put(io.BytesIO(data))
    record_blobs(session, [stored], at=casos.LATER)
    session.add(
        Documento(
            prestador_id=factura.prestador_id,
            factura_id=factura.id,
            sha256=stored.sha256,
            bytes=len(data),
            nombre="EPI_900_FE4001.pdf",
            tipo=TipoDocumento.SOPORTE,
            sigla="EPI",
            media_type="application/pdf",
            datos={},
            cargado_at=casos.LATER,
            cargado_por="prueba",
        )
    )
    return stored.sha256


def test_a_letter_with_its_supports_is_one_pdf_and_its_leaving_is_written_down(
    radica, base, nit: str, tmp_path: Path
) -> None:
    words = ("carta", "--prestador", nit, "--numero", "R 1/26", "--firma", "Ana Gómez", "--unir", "--json")
    code, out, _ = radica(*words)
    said = json.loads(out)
    assert code == 0
    assert (said["archivo"], said["respuestas"], said["soportes"], said["objetado"]) == (
        "carta_R-1-26.pdf",
        2,
        1,
        "30000.00",
    )
    document = pdfium.PdfDocument(tmp_path / "carta_R-1-26.pdf")
    assert len(document) == 2
    assert "Folio 2 de 2" in document[1].get_textpage().get_text_range()
    document.close()
    with base.read() as session:
        letter, support = session.scalars(
            select(AccessLog).where(AccessLog.action == "carta_de_respuesta").order_by(AccessLog.id)
        )
        assert said["contenido_sha256"] in letter.object
        assert said["contenido_sha256"] in support.object
        assert letter.sha256 is None
        assert support.sha256 in set(session.scalars(select(Blob.sha256)))  # what was joined left the house too
    before = (tmp_path / "carta_R-1-26.pdf").read_bytes()
    code, _, errors = radica(*words[:-1])
    assert code == 2
    assert "Ya existe carta_R-1-26.pdf" in errors
    assert (tmp_path / "carta_R-1-26.pdf").read_bytes() == before


def test_the_three_formats(radica, nit: str, tmp_path: Path) -> None:
    for formato, name in (
        ("excel", "respuestas_20261120_3.xlsx"),
        ("dinamica", "respuestas_20261120_3.xlsx"),
        ("salud-total", f"RTAGLOSA_{nit}_20112026_3.txt"),
    ):
        words = ("exportar", "--prestador", nit, "--formato", formato, "--numero", "3", "--fecha", "2026-11-20")
        code, out, _ = radica(*words, "--json")
        assert (code, json.loads(out)) == (0, {"archivos": [{"archivo": name, "respuestas": 2}]})
        code, _, errors = radica(*words)
        assert code == 2
        assert "Ya existe" in errors
        (tmp_path / name).unlink()


def test_what_cannot_be_exported(radica, base, nit: str, tmp_path: Path) -> None:
    assert "Ningún prestador" in radica("exportar", "--prestador", "999999999")[2]
    assert "No hay respuestas" in radica("exportar", "--prestador", nit, "--estado", "presentada")[2]
    assert "no tiene: FE9" in radica("exportar", "--prestador", nit, "--factura", "FE9")[2]
    assert "Ningún pagador" in radica("exportar", "--prestador", nit, "--pagador", "123")[2]
    with base.write() as session:
        payer = session.scalars(select(Pagador.nit)).one()
        session.scalars(select(Factura)).one().radicado = ""
    code, _, errors = radica("exportar", "--prestador", nit, "--pagador", payer, "--formato", "salud-total")
    assert code == 2
    assert errors.count("falta el número de radicación") == 2
    assert not list(tmp_path.glob("RTAGLOSA*"))


def test_templates_from_the_console(radica, nit: str, tmp_path: Path) -> None:
    words = ("plantillas", "--prestador", nit)
    assert "No hay plantillas" in radica(*words)[1]
    code, out, _ = radica(*words, "--iniciales", "--json")
    assert code == 0
    assert len(json.loads(out)["plantillas"]) >= 25
    text = tmp_path / "tarifa.txt"
    text.write_text("La tarifa de {item} es la del acuerdo {contrato}.", encoding="utf-8")
    save = (
        *words,
        "--guardar",
        "tarifa-pactada",
        "--texto",
        str(text),
        "--respuesta",
        "re9602",
        "--codigo",
        "ta",
        "--json",
    )
    listed = {one["clave"]: one for one in json.loads(radica(*save)[1])["plantillas"]}
    assert listed["tarifa-pactada"]["version"] == 2
    text.write_text("Según la Ley 9999 de 2020, {factura}.", encoding="utf-8")
    code, _, errors = radica(*save[:-1])
    assert code == 2
    assert "Ley 9999 de 2020" in errors
    text.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in radica(*save[:-1])[2]
    assert radica(*words, "--retirar", "tarifa-pactada")[0] == 0
    assert radica(*words, "--retirar", "tarifa-pactada")[0] == 1
