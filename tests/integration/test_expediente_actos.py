"""Acts upon dossiers and their papers: what is refused with words, what is redacted, what is told by extract."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import func, select

from radica.app.cli import program
from radica.app.house import House
from radica.audit.models import AccessLog
from radica.cartera import pagos
from radica.custodia.services import record_blobs
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.models import DestinoLinea, LineaNotificada, Notificacion
from radica.kernel.errors import BadInput, InvalidTransition, NotFound
from radica.prejuridico.contenido import Contenido, DocumentoExpediente
from radica.prejuridico.documentos import Alcance, agregar, guardar_archivo, listar, retirar
from radica.prejuridico.models import Expediente, TipoDocumentoPersona, Via
from radica.prejuridico.pacientes import numeros_de
from radica.prejuridico.reunir import gather
from radica.prejuridico.services import Hecho, demandar, descartar, entregar, reintentar, solicitar, terminar
from radica.prejuridico.states import EstadoExpediente
from tests import factories
from tests.conciliacion_seed import pdf
from tests.expediente_seed import ACTOR, Caso, make_caso
from tests.plugins import filing
from tests.plugins.glosas import filed

T = TipoDocumentoPersona


@pytest.fixture
def hands(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    made = filing.house_on(sqlite_url, tmp_path)
    yield made
    made.db.dispose()


@pytest.fixture
def caso(hands: House) -> Caso:
    return make_caso(hands, story=False)


def contents(caso: Caso, **options: Any) -> Contenido:
    expediente = caso.order(opciones=options)
    with caso.house.db.read() as session:
        row = session.get_one(Expediente, expediente)
        return gather(session, row, corte=row.corte, store=caso.house.store)


def of_kind(content: Contenido, kind: str) -> list[DocumentoExpediente]:
    return [one for _, one in content.documentos() if one.tipologia == kind]


# --- Ordering ----------------------------------------------------------------------------------------------------


def test_invoices_of_two_payers_or_providers_make_no_dossier(caso: Caso) -> None:
    house = caso.house
    with house.db.write() as session:
        other = filed(session, at=house.clock())
        first = session.get_one(Factura, caso.facturas[0])
        payer = factories.pagador(session)
        second = filed(session, at=house.clock(), prestador=factories.prestador(session))
        second.prestador_id, second.pagador_id = first.prestador_id, payer.id
        ids = {"varios_prestadores": [first.id, other.id], "varios_pagadores": [first.id, second.id]}
    for code, chosen in ids.items():
        with pytest.raises(BadInput) as told, house.db.write() as session:
            solicitar(session, chosen, via=Via.EJECUTIVO, corte=caso.hoy, actor=ACTOR, at=house.clock())
        assert told.value.code == code
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Expediente)) == 0


@pytest.mark.parametrize(
    ("options", "code"), [({"paciente": "1"}, "opcion"), ({"parametros": {"divisor": "7"}}, "parametro")]
)
def test_an_option_that_nobody_knows_is_refused(caso: Caso, options: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as told:
        caso.order(opciones=options)
    assert told.value.code == code


def test_a_foreign_invoice_reads_like_one_that_is_not(caso: Caso) -> None:
    with pytest.raises(NotFound), caso.house.db.write() as session:
        solicitar(
            session, caso.facturas, via=Via.EJECUTIVO, corte=caso.hoy, actor=ACTOR, at=caso.house.clock(),
            prestador_ids=[caso.prestador_id + 1],
        )  # fmt: skip


def test_a_dossier_goes_from_ready_to_its_lawsuit_and_no_further(caso: Caso) -> None:
    house, now = caso.house, caso.house.clock()
    first, second = caso.order(), caso.order()
    stored = house.store.put(io.BytesIO(b"bolsa"))
    with house.db.write() as session:
        row = session.get_one(Expediente, first)
        assert [row.numero, session.get_one(Expediente, second).numero] == [1, 2]
        record_blobs(session, [stored], at=now)
        with pytest.raises(InvalidTransition):
            reintentar(session, row, actor=ACTOR, at=now)
        terminar(session, row, Hecho(stored.sha256, None, "ab" * 32, 5, {}), actor=ACTOR, at=now)
        with pytest.raises(BadInput):
            entregar(session, row, a_quien=" ", actor=ACTOR, at=now)
        entregar(session, row, a_quien="Dra. Prueba", actor=ACTOR, at=now)
        with pytest.raises(BadInput):
            demandar(session, row, radicado="11001", actor=ACTOR, at=now)
        demandar(session, row, radicado="11001 31 03 001 2026 00001 00", actor=ACTOR, at=now)
        assert (row.estado, row.radicado_judicial) == (EstadoExpediente.DEMANDADO, "11001310300120260000100")
        with pytest.raises(InvalidTransition):
            descartar(session, row, "pagaron", actor=ACTOR, at=now)


# --- What a person brings ----------------------------------------------------------------------------------------


def locked_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as paper:
        paper.add_blank_page()
        paper.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "kind", "code"),
    [
        ("vacio.pdf", b"", T.PODER, "vacio"),
        ("poder.pdf", b"%PDF-1.7 y nada", T.PODER, "pdf_danado"),
        ("clave.pdf", locked_pdf(), T.PODER, "pdf_con_clave"),
        ("poder.docx", b"PK\x03\x04 algo", T.PODER, "formato"),
        ("evento.xml", b"<a/>", T.PODER, "formato"),
        ("evento.xml", b"<a/>", T.EVENTO_033, "otro_evento"),
    ],
)
def test_a_file_that_is_no_paper_is_refused(
    hands: House, tmp_path: Path, name: str, data: bytes, kind: TipoDocumentoPersona, code: str
) -> None:
    hands.settings.ensure_folders()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput) as told:
        guardar_archivo(hands.store, tmp_path / name, kind)
    assert told.value.code == code


def test_a_paper_is_loaded_once_and_withdrawn_with_a_reason(caso: Caso, tmp_path: Path) -> None:
    house, now = caso.house, caso.house.clock()
    paper = tmp_path / "Contrato marco 2026.pdf"
    paper.write_bytes(pdf("contrato"))
    kept = guardar_archivo(house.store, paper, T.CONTRATO)
    scope = Alcance(caso.prestador_id, caso.pagador_id)

    def load() -> tuple[int, bool]:
        with house.db.write() as session:
            row, new = agregar(session, kept, tipo=T.CONTRATO, alcance=scope, fecha=caso.hoy, actor=ACTOR, at=now)
            return row.id, new

    first = load()
    assert first[1] is True
    assert load() == (first[0], False)
    with house.db.write() as session:
        ((row, piece),) = listar(session, [caso.prestador_id])
        assert (piece.nombre, piece.origen) == ("contrato_Contrato-marco-2026.pdf", "persona")
        with pytest.raises(BadInput):
            retirar(session, row, " ", actor=ACTOR, at=now)
        retirar(session, row, "venció", actor=ACTOR, at=now)
        with pytest.raises(InvalidTransition):
            retirar(session, row, "otra vez", actor=ACTOR, at=now)
        assert listar(session, [caso.prestador_id]) == []
    assert "sin_contrato" in {one.codigo for one in contents(caso).huecos}
    assert load()[0] != first[0]


def test_a_paper_of_an_invoice_needs_its_invoice(caso: Caso, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("autorizacion"))
    kept = guardar_archivo(caso.house.store, tmp_path / "a.pdf", T.AUTORIZACION)
    with caso.house.db.write() as session:
        foreign = filed(session, at=caso.house.clock())
        refused = {}
        for name, scope in {
            "falta_factura": Alcance(caso.prestador_id),
            "factura_ajena": Alcance(caso.prestador_id, None, foreign.id),
            "factura_de_otro_pagador": Alcance(caso.prestador_id, foreign.pagador_id, caso.facturas[0]),
        }.items():
            with pytest.raises(BadInput) as told:
                agregar(
                    session,
                    kept,
                    tipo=T.AUTORIZACION,
                    alcance=scope,
                    fecha=caso.hoy,
                    actor=ACTOR,
                    at=caso.house.clock(),
                )
            refused[name] = told.value.code
    assert refused == {name: name for name in refused}


# --- Other people's data -----------------------------------------------------------------------------------------


def two_patients(caso: Caso) -> tuple[str, str]:
    """Give the first invoice a RIPS of two patients; return the document of the one and the other."""
    house, invoice = caso.house, caso.facturas[0]
    with house.db.write() as session:
        row = session.scalars(
            select(Documento).where(Documento.factura_id == invoice, Documento.tipo == TipoDocumento.RIPS)
        ).one()
        value = json.loads(house.store.read(row.sha256))
        inner = value.get("rips", value)
        one = inner["usuarios"][0]
        other = {**json.loads(json.dumps(one)), "numDocumentoIdentificacion": "99887766", "consecutivo": 2}
        inner["usuarios"] = [{**one, "consecutivo": 1}, other]
        stored = house.store.put(io.BytesIO(json.dumps(value).encode()))
        record_blobs(session, [stored], at=house.clock())
        row.sha256, row.bytes = stored.sha256, stored.bytes
        session.get_one(Factura, invoice).usuarios = 2
    return str(one["numDocumentoIdentificacion"]), "99887766"


def test_only_the_chosen_patient_stays_and_what_was_left_out_is_said(caso: Caso) -> None:
    mine, other = two_patients(caso)
    caso.facturas = caso.facturas[:1]
    with caso.house.db.read() as session:
        chosen = numeros_de(session, caso.house.store, caso.facturas, f"CC {mine}".removeprefix("CC "))
    assert chosen == {str(caso.facturas[0]): [1]}
    content = contents(caso, pacientes=chosen)
    (rips,) = of_kind(content, "RIPS")
    assert rips.redactado
    assert rips.datos is not None
    assert mine.encode() in rips.datos
    assert other.encode() not in rips.datos
    assert of_kind(content, "Soporte de la atención") == []
    assert {"rips_redactado", "soportes_redactados"} <= {one.codigo for one in content.huecos}
    assert not any(other.encode() in (one.datos or b"") for _, one in content.documentos())
    with caso.house.db.read() as session:
        (stored,) = session.scalars(select(Expediente.opciones))
    assert mine not in json.dumps(stored)


def test_signed_files_and_results_that_quote_another_patient_stay_in_custody(caso: Caso) -> None:
    mine, other = two_patients(caso)
    caso.facturas = caso.facturas[:1]
    house = caso.house
    quoted = {"ResultadosValidacion": [{"Codigo": "RVC1", "Observaciones": f"Dato reportado: {other}, J459"}]}
    with house.db.write() as session:
        rows = session.scalars(select(Documento).where(Documento.factura_id == caso.facturas[0])).all()
        for row in rows:
            if row.tipo is TipoDocumento.FEV:
                data = house.store.read(row.sha256).replace(
                    b"</cbc:Description>", f" paciente {other}</cbc:Description>".encode(), 1
                )
            elif row.tipo is TipoDocumento.CUV:
                data = json.dumps({**json.loads(house.store.read(row.sha256)), **quoted}).encode()
            else:
                continue
            stored = house.store.put(io.BytesIO(data))
            record_blobs(session, [stored], at=house.clock())
            row.sha256, row.bytes = stored.sha256, stored.bytes
    with house.db.read() as session:
        chosen = numeros_de(session, house.store, caso.facturas, mine)
    content = contents(caso, pacientes=chosen)
    for _, one in content.documentos():
        data = one.datos if one.datos is not None else house.store.read(one.huella)
        assert other.encode() not in data, one.titulo
        assert b"J459" not in data or one.tipologia == "RIPS", one.titulo
    assert "xml_con_otros_pacientes" in {one.codigo for one in content.huecos}
    (result,) = of_kind(content, "Resultado de validación con CUV")
    assert result.redactado
    assert b"CodigoUnicoValidacion" in (result.datos or b"")


def test_what_was_paid_after_the_cut_is_not_paid_in_the_dossier(caso: Caso) -> None:
    house = caso.house
    with house.db.write() as session:
        invoice = session.get_one(Factura, caso.facturas[0])
        pagos.enter(session, invoice, fecha=caso.hoy, valor=70_000, actor=ACTOR, at=house.clock())
        expediente = solicitar(
            session, caso.facturas, via=Via.EJECUTIVO, corte=caso.hoy - timedelta(days=3), actor=ACTOR, at=house.clock()
        ).id
    with house.db.read() as session:
        row = session.get_one(Expediente, expediente)
        found = gather(session, row, corte=row.corte, store=house.store).facturas[0]
    assert (found.pagado, found.capital) == (0, found.valor)


def test_a_patient_that_an_invoice_does_not_have_makes_no_dossier(caso: Caso) -> None:
    with pytest.raises(BadInput) as told, caso.house.db.read() as session:
        numeros_de(session, caso.house.store, caso.facturas, "123")
    assert (told.value.code, "123" in str(told.value)) == ("paciente_ausente", False)


def test_a_notice_that_speaks_of_others_goes_in_by_extract(caso: Caso) -> None:
    house, now = caso.house, caso.house.clock()
    stored = house.store.put(io.BytesIO(b"factura;motivo\nmia;x\najena;secreto de otro\n"))
    with house.db.write() as session:
        record_blobs(session, [stored], at=now)
        notice = Notificacion(
            prestador_id=caso.prestador_id, pagador_id=caso.pagador_id, origen="archivo", nombre="glosas.csv",
            sha256=stored.sha256, recibida_at=now, cargada_at=now, cargada_por=ACTOR, terminada_at=now,
        )  # fmt: skip
        session.add(notice)
        session.flush()
        for row, invoice in enumerate((caso.facturas[0], None), 2):
            session.add(
                LineaNotificada(
                    prestador_id=caso.prestador_id, notificacion_id=notice.id, fila=row, valor=100,
                    destino=DestinoLinea.CARGADA if invoice else DestinoLinea.SIN_CRUZAR, factura_id=invoice,
                    contenido={"factura": f"F{row}", "codigo_original": "TA0801"},
                )
            )  # fmt: skip
    content = contents(caso)
    assert of_kind(content, "Notificación del pagador") == []
    (extract,) = of_kind(content, "Extracto de la notificación del pagador")
    assert extract.redactado
    assert stored.sha256 in extract.nota
    with pikepdf.open(io.BytesIO(extract.datos or b"")) as paper:
        assert len(paper.pages) == 1
    assert "notificacion_en_extracto" in {one.codigo for one in content.huecos}


# --- The command line --------------------------------------------------------------------------------------------


@pytest.fixture
def radica(caso: Caso, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("RADICA_DATABASE_URL", caso.house.db.url)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = program.main(["--datos", str(caso.house.settings.datos), "expediente", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_an_operator_makes_a_dossier_and_takes_it_out(caso: Caso, radica: Any, tmp_path: Path) -> None:
    with caso.house.db.read() as session:
        numbers = list(session.scalars(select(Factura.numero).where(Factura.id.in_(caso.facturas))))
    out = tmp_path / "salida"
    out.mkdir()
    chosen = [word for number in numbers for word in ("--factura", number)]
    code, said = radica("exportar", *chosen, "--via", "declarativo", "--salida", str(out))
    assert code == 0
    (made,) = said["expedientes"]
    assert (made["estado"], made["via"], made["facturas"], said["rechazos"]) == ("listo", "declarativo", 2, [])
    assert made["total_vacios"] == len(made["vacios"]) > 0
    assert Path(made["archivo"]).stat().st_size == made["bytes"]
    with caso.house.db.read() as session:
        logged = session.scalars(select(AccessLog).where(AccessLog.action == "descargar")).one()
    assert logged.sha256 == made["bolsa_sha256"]
    code, listed = radica("listar")
    assert (code, [one["numero"] for one in listed["expedientes"]]) == (0, [1])


def test_what_cannot_be_included_is_told_and_the_rest_is_made(caso: Caso, radica: Any) -> None:
    with caso.house.db.read() as session:
        number = session.get_one(Factura, caso.facturas[0]).numero
    code, said = radica("exportar", "--factura", number, "--factura", "NADA999")
    assert (code, len(said["expedientes"]), [one["factura"] for one in said["rechazos"]]) == (1, 1, ["NADA999"])
    code, said = radica("exportar", "--factura", "NADA999")
    assert (code, said["expedientes"]) == (2, [])


def test_all_that_is_owed_becomes_one_dossier_a_payer(caso: Caso, radica: Any) -> None:
    code, said = radica("exportar", "--todas")
    assert (code, [one["facturas"] for one in said["expedientes"]]) == (0, [2])


def test_papers_come_and_go_by_command(caso: Caso, radica: Any, tmp_path: Path) -> None:
    (tmp_path / "poder.pdf").write_bytes(pdf("poder"))
    with caso.house.db.read() as session:
        number = session.get_one(Factura, caso.facturas[0]).numero
    words = ("documento", "agregar", str(tmp_path / "poder.pdf"), "--tipo", "poder", "--fecha", "2026-01-10")
    code, said = radica(*words, "--factura", number)
    assert (code, said["nuevo"], said["factura_id"]) == (0, True, caso.facturas[0])
    assert radica("documento", "retirar", str(said["documento"]), "--motivo", "era otro")[0] == 0
    assert radica("documento", "listar")[1] == {"documentos": []}
    assert len(radica("documento", "listar", "--retirados")[1]["documentos"]) == 1
    assert radica(*words)[0] == 2
