"""What a payer would not take is changed once, with proof and lineage, and the original stays; on both databases."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pikepdf
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.worker import do_one
from radica.custodia.models import Blob, Pieza
from radica.facturas.models import Factura
from radica.jobs.queue import claim_next
from radica.radicacion import preparar as preparing
from radica.radicacion.entrega import GROUP
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Intento
from radica.radicacion.perfil_paquete import Perfil
from radica.radicacion.services import KIND_FILE
from radica.users.models import Tarea
from tests.plugins.preparing import ONE, SMALL, STRICT, Desk, heavy, loose, scripted


def test_a_script_goes_a_loose_file_is_packed_and_a_heavy_one_is_split(prepared_desk: Callable[..., Desk]) -> None:
    given = {"EPI_900123456_A1.pdf": scripted(), "HEV_900123456_A1.pdf": loose(), "PDX_900123456_A1.pdf": heavy()}
    case = prepared_desk(STRICT, given)
    plan = case.prepare().planes[case.factura_id]
    assert plan.rechazos == ()
    sent = [item for item in plan.files if item.role == "SOPORTE"]
    assert [item.name for item in sent][:2] == ["EPI_900123456_A1.pdf", "HEV_900123456_A1.pdf"]
    assert [item.name for item in sent][2:] == [f"PDX_900123456_A1_{n}.pdf" for n in range(1, len(sent) - 1)]
    assert all(item.bytes <= SMALL for item in sent)
    rows = case.rows()
    assert [row.operacion for row in rows] == ["limpiar", "comprimir"] + ["dividir"] * (len(sent) - 2)
    store = case.house.store
    for name, data in given.items():
        assert store.read(case.originals[name]) == data  # the original stays
    with pikepdf.open(io.BytesIO(store.read(sent[0].sha256))) as clean:
        assert "/OpenAction" not in clean.Root
        assert "calc.exe" not in str(clean.pages[0].obj.Annots[0].items())
    whole = [text for row in rows if row.operacion == "dividir" for text in row.prueba["texto"]]
    assert len(whole) == 6
    assert len(set(whole)) == 6
    assert all(row.texto_igual and row.version == preparing.VERSION for row in rows)
    assert sum(row.paginas_enviado for row in rows if row.operacion == "dividir") == rows[-1].paginas_original == 6
    assert case.shown() == plan  # page, ZIP and bot see the same
    with case.house.db.read() as session:
        sealed = set(session.scalars(select(Pieza.sha256).where(Pieza.group_key == GROUP)))
        assert sealed == {item.sha256 for item in sent}
        assert sealed <= set(session.scalars(select(Blob.sha256)))


def test_what_was_made_once_is_not_made_again(
    prepared_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = prepared_desk(STRICT, {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy()})
    first = case.prepare()
    made = len(case.rows())
    # From here on, whoever starts the maker gets nothing.
    monkeypatch.setattr(preparing, "COMMAND", (sys.executable, "-c", "raise SystemExit(1)"))
    assert case.prepare() == first
    assert len(case.rows()) == made
    case.order_again()
    assert case.prepare().planes[case.factura_id].files == first.planes[case.factura_id].files
    copied = [row for row in case.rows() if row.envio_id == case.envio_id]
    assert [row.prueba for row in copied] == [row.prueba for row in case.rows()[:made]]


@pytest.mark.parametrize(
    "said",
    [
        '{"estado": "hecho", "salidas": [{"nombre": "x.pdf", "paginas": 1}], "hojas": [1], "original": [["a", "b"]], "enviado": [["a", "c"]]}',
        '{"estado": "ilegible"}',
        "no es JSON",
        '{"estado": "hecho"}',
    ],
)  # fmt: skip
def test_a_change_without_proof_is_refused(
    said: str, prepared_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = prepared_desk(STRICT, {"EPI_900123456_A1.pdf": scripted()})
    liar = f"import sys; sys.stdin.readline(); print({said!r}, flush=True)"
    monkeypatch.setattr(preparing, "COMMAND", (sys.executable, "-c", liar))
    plan = case.prepare().planes[case.factura_id]
    assert len(plan.rechazos) == 1
    assert plan.rechazos[0].nombre == "EPI_900123456_A1.pdf"
    assert case.rows() == []
    assert case.originals["EPI_900123456_A1.pdf"] in {item.sha256 for item in plan.files}


def test_one_pdf_for_a_payer_that_takes_one(prepared_desk: Callable[..., Desk]) -> None:
    case = prepared_desk(ONE, {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy(3)})
    plan = case.prepare().planes[case.factura_id]
    (whole,) = [item for item in plan.files if item.role == "SOPORTE"]
    rows = case.rows()
    assert [(row.operacion, row.orden, row.paginas_original, row.paginas_enviado) for row in rows] == [
        ("unir", 1, 1, 4),
        ("unir", 2, 3, 4),
    ]
    assert {row.sha256_enviado for row in rows} == {whole.sha256}
    assert [len(row.prueba["texto"]) for row in rows] == [1, 3]
    assert case.shown() == plan


def test_without_rules_nothing_is_touched(prepared_desk: Callable[..., Desk]) -> None:
    case = prepared_desk(
        Perfil("nada", "Sin reglas"), {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy()}
    )
    plan = case.prepare().planes[case.factura_id]
    assert {item.sha256 for item in plan.files if item.role == "SOPORTE"} == set(case.originals.values())
    assert case.rows() == []


def test_lineage_is_only_added(prepared_desk: Callable[..., Desk]) -> None:
    case = prepared_desk(STRICT, {"EPI_900123456_A1.pdf": scripted()})
    case.prepare()
    with pytest.raises(DatabaseError), case.house.db.write() as session:
        session.execute(update(Linaje).values(texto_igual=False))


def test_a_bot_is_not_started_for_what_the_payer_would_not_take(prepared_desk: Callable[..., Desk]) -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(heavy())) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    case = prepared_desk(STRICT, {"EPI_900123456_A1.pdf": locked.getvalue()})
    claimed = claim_next(case.house.db, "prueba", case.house.host, 30, [KIND_FILE])
    assert claimed is not None
    do_one(case.house, ALL_HANDLERS[KIND_FILE], claimed)
    with case.house.db.read() as session:
        (attempt,) = session.scalars(select(Intento))
        assert (attempt.resultado, attempt.codigo, attempt.intent_at) == ("not_submitted", "paquete_no_cumple", None)
        assert "pide contraseña" in (attempt.detalle or "")
        assert session.scalars(select(Tarea)).all()
        assert session.get_one(Factura, case.factura_id).radicado is None
