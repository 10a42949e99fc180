"""Loading payers' files: each objection once, whatever file tells it again, and nothing dropped."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from radica.custodia.models import Pieza
from radica.glosas.bandeja.work_models import ReglaAsignacion
from radica.glosas.models import Confianza, DestinoLinea, Devolucion, Glosa, Notificacion
from radica.kernel.errors import BadInput
from radica.users.models import Acceso, Rol, Usuario
from tests.plugins.glosas import NOTICED, day, items
from tests.plugins.notices import Notices, row, table


def test_a_file_becomes_glosas_with_custody_terms_and_links(notices: Notices) -> None:
    invoice = notices.invoice("FV501")
    found = notices.one(
        [row("FV501", numero="G1", servicio="890201"), row("FV-0501", "2500.50", "SO3401", numero="G1")]
    )
    assert (found.nuevas, found.repetidas, found.clean) == (2, 0, True)
    assert found.total_leido == 350_050
    first, second = notices.glosas()
    assert (first.factura_id, first.codigo, first.familia, first.valor) == (invoice.id, "TA0801", "TA", 100_000)
    assert (second.valor, second.numero_glosa, second.notificada_segun) == (250_050, "G1", "archivo")
    assert first.vence is not None
    assert first.fecha_segun_pagador == date(2026, 6, 16)
    (notice,) = notices.rows(Notificacion)
    assert (notice.lineas, notice.nuevas, notice.pagador_id) == (2, 2, notices.pagador.id)
    assert notice.terminada_at is not None
    (piece,) = notices.rows(Pieza)
    assert (piece.case_key, piece.sha256) == (f"notificacion:{notice.id}", notice.sha256)
    assert notices.store.exists(notice.sha256)
    assert [one.glosa_id for one in notices.lineas()] == [first.id, second.id]


def test_the_same_file_under_another_name_is_the_same_notice(notices: Notices) -> None:
    notices.invoice("FV501")
    data = table([row("FV501")])
    notices.one(data, "mayo.csv")
    before = notices.counts()
    again = notices.one(data, "junio.csv")
    assert again.ya_estaba
    assert (again.nuevas, again.repetidas) == (0, 1)
    assert "Ya estaba cargado" in again.avisos[0]
    assert notices.counts() == before


def test_a_cumulative_file_brings_only_what_is_new_in_any_order(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.invoice("FV502")
    may = [row("FV501", "100"), row("FV501", "200"), row("FV502", "300", servicio="39145")]
    notices.one(may)
    found = notices.one([row("FV502", "50", "FA0201"), *reversed(may)])
    assert (found.nuevas, found.repetidas) == (1, 3)
    assert notices.money() == (4, 65_000)


def test_equal_objections_of_one_file_are_several(notices: Notices) -> None:
    notices.invoice("FV501")
    split = [row("FV501", "100", servicio="890201")] * 3
    assert notices.one(split).nuevas == 3
    assert notices.money() == (3, 30_000)
    assert notices.one([*split, row("FV501", "7", "SO3401")]).repetidas == 3


def test_a_zip_with_two_layouts_is_two_notices(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.invoice("FV502")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("glosas.csv", table([row("FV501")]))
        archive.writestr(
            "DEVYGLOSAS1.txt",
            "NRO_FACTURA|CODIGO_DEVOLUCION|VALOR DEVOLUCION|FECHA_ENVIO|NRO_RADICACION|OBSERVACION\n"
            "FV502|DE1601|90000|2026-06-04|R1|Falta soporte\n",
        )
    found = notices.load(packed.getvalue(), "paquete.zip", pagador_nit=None)
    assert sorted((one.formato, one.nuevas) for one in found.notificaciones) == [("famisanar", 1), ("generico", 1)]
    assert {one.parte for one in notices.rows(Notificacion)} == {"glosas.csv", "DEVYGLOSAS1.txt"}
    (returned,) = notices.rows(Devolucion)
    assert returned.valor == 10_000_000  # the invoice's, whatever the line says
    assert notices.load(packed.getvalue(), "otra.zip", pagador_nit=None).notificaciones[0].ya_estaba


def test_a_return_told_by_many_lines_is_one_with_its_causes(notices: Notices) -> None:
    notices.invoice("FV501")
    lines = [row("FV501", "10", "DE1601", "2026-06-04"), row("FV501", "20", "DE1601", "2026-06-04")]
    found = notices.one([*lines, row("FV501", "20", "DE5601", "2026-06-04")])
    (returned,) = notices.rows(Devolucion)
    assert [one["codigo"] for one in returned.causales] == ["DE1601", "DE5601"]
    assert (found.nuevas, found.repetidas) == (2, 1)
    assert notices.one([*lines, row("FV501", "1", "DE1601", "2026-06-05")]).repetidas == 3


def test_services_are_matched_with_a_stated_confidence(notices: Notices) -> None:
    invoice = notices.invoice("FV501")
    with notices.db.write() as session:
        (item,) = items(session, invoice, [40_000])
    notices.one([row("FV501", "100", servicio="890201", valor_servicio="400"), row("FV501", "30", servicio="999999")])
    first, second = notices.glosas()
    assert (first.item_id, first.item_confianza) == (item.id, Confianza.ALTA)
    assert (second.item_id, second.item_confianza) == (None, Confianza.NINGUNA)
    kept = notices.lineas()[1].contenido["cruce"]
    assert "no está en el RIPS" in kept["motivo_servicio"]


def test_two_equal_services_are_no_match(notices: Notices) -> None:
    invoice = notices.invoice("FV501")
    with notices.db.write() as session:
        items(session, invoice, [40_000, 40_000])
    notices.one([row("FV501", "100", servicio="890201", valor_servicio="400")])
    (glosa,) = notices.glosas()
    assert glosa.item_id is None
    assert "2 servicios iguales" in notices.lineas()[0].contenido["cruce"]["motivo_servicio"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"origen": "correo", "recibida_at": day(6, 18), "recibida": "correo"}, ("correo", day(6, 18))),
        ({"recibida_at": day(6, 17)}, ("persona", day(6, 17))),
        ({}, ("archivo", day(6, 16, 0))),
    ],
    ids=["mail", "person", "column"],
)
def test_the_true_notice_date(notices: Notices, given: dict[str, object], expected: tuple[str, object]) -> None:
    given.pop("recibida", None)
    notices.invoice("FV501")
    notices.one([row("FV501")], **given)
    (glosa,) = notices.glosas()
    assert (glosa.notificada_segun, glosa.notificada_at) == expected
    assert glosa.fecha_segun_pagador == date(2026, 6, 16)


def test_without_any_date_it_is_the_day_of_loading(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", fecha="")])
    (glosa,) = notices.glosas()
    assert (glosa.notificada_segun, glosa.notificada_at) == ("carga", notices.at)


def test_new_lines_go_to_whom_the_rules_say(notices: Notices) -> None:
    notices.invoice("FV501")
    with notices.db.write() as session:
        people = [Usuario(correo=f"p{n}@ejemplo.co", nombre="P", clave_hash="x", creado_at=NOTICED) for n in (1, 2)]
        session.add_all(people)
        session.flush()
        first, second = (one.id for one in people)
        session.add_all(Acceso(usuario_id=one.id, prestador_id=notices.prestador.id, rol=Rol.GLOSAS) for one in people)
        base = {"prestador_id": notices.prestador.id}
        session.add(ReglaAsignacion(**base, orden=2, usuario_id=first))
        session.add(ReglaAsignacion(**base, orden=1, usuario_id=second, familia="SO", desde=50_000, hasta=90_000))
        session.add(ReglaAsignacion(**base, orden=0, usuario_id=second, activa=False))
    notices.one([row("FV501", "600", "SO3401"), row("FV501", "1000", "SO3401"), row("FV501", "600")])
    assert [one.responsable_id for one in notices.glosas()] == [second, first, first]


def test_what_cannot_be_read_is_in_the_tray_with_row_and_reason(notices: Notices) -> None:
    notices.invoice("FV501")
    found = notices.one([row("FV501"), row("FV501", "mil pesos")])
    assert (found.nuevas, found.no_leidas) == (1, 1)
    (unread,) = [one for one in notices.lineas() if one.destino is DestinoLinea.NO_LEIDA]
    assert unread.fila == 3
    assert unread.motivo


def test_a_file_that_no_layout_knows_is_kept_and_says_so(notices: Notices) -> None:
    found = notices.one(b"hola\nesto no es una tabla\n", "carta.txt")
    assert (found.formato, found.nuevas, found.no_leidas) == ("", 0, 1)
    assert notices.tray() == [("no_leida", "archivo_sin_leer")]
    (notice,) = notices.rows(Notificacion)
    assert notices.store.exists(notice.sha256)
    notices.one(b"hola\nesto no es una tabla\n", "carta.txt")
    assert notices.counts()["LineaNotificada"] == 1


def test_a_total_that_does_not_match_waits_for_a_person(notices: Notices) -> None:
    notices.invoice("FV501")
    found = notices.one(table([row("FV501", "1000"), row("FV501", "500", "SO3401")], total="1600"))
    assert (found.total_declarado, found.total_leido) == (160_000, 150_000)
    assert notices.tray() == [("por_decidir", "total_distinto")]
    assert (found.nuevas, found.por_decidir) == (2, 1)


def test_progress_is_told_and_ends_at_the_whole(notices: Notices) -> None:
    notices.invoice("FV501")
    told: list[tuple[int, int]] = []
    notices.one(
        [row("FV501", "5", servicio=str(n)) for n in range(1, 2600)], progress=lambda done, of: told.append((done, of))
    )
    assert told[-1] == (2599, 2599)
    assert len(told) >= 2
    assert told == sorted(told)


def test_an_unknown_payer_and_a_future_arrival_are_refused_before_anything_is_kept(notices: Notices) -> None:
    with pytest.raises(BadInput, match="Ningún pagador"):
        notices.one([row("FV501")], pagador_nit="999999999")
    with pytest.raises(BadInput, match="futura"):
        notices.one([row("FV501")], recibida_at=day(12, 24))
    assert notices.counts() == dict.fromkeys(notices.counts(), 0)


def test_health_data_stands_only_in_rows(notices: Notices, caplog: pytest.LogCaptureFixture) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", paciente="1098765432", servicio="1")])
    assert "1098765432" not in caplog.text
    with notices.db.read() as session:
        glosa = session.scalars(select(Glosa)).one()
    assert glosa.paciente_documento == "1098765432"
    assert Path(notices.work).is_dir()
