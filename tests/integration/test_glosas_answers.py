"""Templates, suggestions, letters and exports over stored answers, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Documento, Factura
from radica.glosas.acts import register_answers_presented
from radica.glosas.bandeja.work_models import Decision, PerfilRespuesta, Plantilla, Respuesta
from radica.glosas.decisions import decide
from radica.glosas.exports import salud_total
from radica.glosas.respuesta import templates_store as store
from radica.glosas.respuesta.answer_help import limits_for
from radica.glosas.respuesta.letter import draw
from radica.glosas.respuesta.letter_facts import carta_de, filas_de
from radica.glosas.respuesta.suggestions import sugerir
from radica.glosas.states import EstadoRespuesta
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound
from tests import factories
from tests.plugins import glosas as casos

AT = casos.LATER


def _version(session, factura, texto: str, **values: object) -> Plantilla:
    base: dict[str, object] = {
        "prestador_id": factura.prestador_id,
        "clave": "tarifa",
        "nombre": "Tarifa",
        "respuesta": "RE9602",
        "codigo": "TA",
        "actor": "usuario:1",
        "at": AT,
    }
    return store.crear_version(session, texto=texto, **{**base, **values})


def test_a_changed_template_is_a_new_version_and_answers_keep_theirs(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session)
        glosa = casos.glosa(session, factura, codigo="TA0801", familia="TA")
        first = _version(session, factura, "La tarifa de {item} es la pactada.")
        answer = casos.answer(session, glosa, estado=EstadoRespuesta.BORRADOR)
        answer.plantilla_id = first.id
        assert _version(session, factura, "La tarifa de {item} es la pactada.").id == first.id
        second = _version(session, factura, "La tarifa es la del acuerdo {contrato}.")
        assert (first.version, second.version) == (1, 2)
        assert (first.vigente, second.vigente) == (False, True)
        assert first.texto == "La tarifa de {item} es la pactada."
        assert store.usos(session, prestador_id=factura.prestador_id) == {first.id: 1}
        assert [row.id for row in store.vigentes(session, prestador_id=factura.prestador_id)] == [second.id]
        assert store.retirar(session, prestador_id=factura.prestador_id, clave="tarifa") == 1
        assert store.vigentes(session, prestador_id=factura.prestador_id) == []
        assert _version(session, factura, "Otra vez.").version == 3


def test_what_a_template_may_not_be(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session)
        for values, code in (
            ({"respuesta": "RE2202"}, "respuesta_mala"),
            ({"respuesta": "RE96"}, "respuesta_mala"),
            ({"codigo": "PE01"}, "codigo_malo"),
            ({"codigo": "RE95"}, "codigo_malo"),
            ({"codigo": "DE16"}, "codigos_no_casan"),
            ({"clave": " "}, "plantilla_sin_nombre"),
        ):
            with pytest.raises(BadInput) as refused:
                _version(session, factura, "Texto {factura}.", **values)
            assert refused.value.code == code
        with pytest.raises(BadInput, match="Ley 9999"):
            _version(session, factura, "La Ley 9999 de 2020 manda.")


def test_the_most_specific_template_is_offered_first(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session)
        other = factories.pagador(session)
        glosa = casos.glosa(session, factura, codigo="TA0801", familia="TA")
        for key, code, payer in (
            ("a-todas", "", None),
            ("b-familia", "TA", None),
            ("c-familia-pagador", "TA", factura.pagador_id),
            ("d-especifico", "TA08", None),
            ("e-exacta", "TA0801", None),
            ("f-exacta-pagador", "TA0801", factura.pagador_id),
            ("g-otro-pagador", "TA0801", other.id),
            ("h-otra-familia", "SO", None),
        ):
            _version(
                session, factura, f"Texto {key} de {{factura}}.", clave=key, nombre=key, codigo=code, pagador_id=payer
            )
        _version(session, factura, "Aceptada {factura}.", clave="i", nombre="i-acepta", respuesta="RE9702")
        names = [row.nombre for row in store.elegir(session, glosa, respuesta="RE9602")]
        assert names == ["f-exacta-pagador", "e-exacta", "d-especifico", "c-familia-pagador", "b-familia", "a-todas"]
        assert "i-acepta" in {row.nombre for row in store.elegir(session, glosa)}
        old = casos.glosa(session, factura, codigo="208", familia="TA")
        assert store.elegir(session, old, respuesta="RE9602")[0].nombre == "d-especifico"
        devolucion = casos.devolucion(
            session, casos.filed(session, prestador=session.get_one(Prestador, factura.prestador_id))
        )
        assert store.elegir(session, devolucion) == []


def test_starters_are_given_once_and_filled_with_the_case(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session, numero="FV77001")
        provider = factura.prestador_id
        assert store.sembrar(session, prestador_id=provider, actor="usuario:1", at=AT) == len(store.iniciales())
        assert store.sembrar(session, prestador_id=provider, actor="usuario:1", at=AT) == 0
        late = casos.glosa(session, factura, 2_500_000, codigo="TA0801", familia="TA", notificada_at=casos.day(8, 3))
        assert late.extemporanea
        (row,) = store.elegir(session, late, respuesta="RE9502")
        said = store.escribir(session, row, late)
        assert said.faltan == ()
        assert "FV77001" in said.texto
        assert "el 01/06/2026" in said.texto
        assert f"{late.dias_pagador} días hábiles" in said.texto
        assert "$ 25.000" in said.texto
        tariff = store.elegir(session, late, respuesta="RE9602")[0]
        assert set(store.escribir(session, tariff, late).faltan) >= {"contrato", "clausula"}
        filled = store.escribir(
            session, tariff, late, de_la_persona={"contrato": "C-1", "clausula": "cláusula 4", "item": "el examen"}
        )
        assert filled.faltan == ()
        foreign = casos.glosa(session, casos.filed(session))
        with pytest.raises(BadInput, match="otro prestador"):
            store.escribir(session, tariff, foreign)


def test_a_second_answer_speaks_of_what_is_still_in_dispute(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session)
        glosa = casos.glosa(session, factura, 1_000_000)
        casos.present(session, glosa, Decision.ACEPTAR_PARTE, valor_aceptado=400_000, on=casos.day(6, 20))
        values = store.valores_de(session, glosa, aceptado=100_000)
        assert values["valor_objetado"] == "$ 6.000"
        assert values["valor_defendido"] == "$ 5.000"


def _closed(session, factura, texto: str, *, levantado: int | None, valor: int = 1_000_000, **values: object):
    """A glosa answered with a text and, unless `levantado` is None, decided by the payer."""
    row = casos.glosa(session, factura, valor, **{"codigo": "TA0801", "familia": "TA", **values})
    respuesta = casos.answer(session, row)
    respuesta.texto = texto
    register_answers_presented(
        session,
        [respuesta],
        ocurrido_at=casos.day(6, 20),
        nivel=3,
        evidence=[casos.EVIDENCE],
        actor="bot:w",
        at=AT,
        nota="",
    )
    if levantado is not None:
        decide(
            session, row, levantado=levantado, ratificado=levantado < valor, ocurrido_at=casos.day(6, 25),
            evidence=[casos.EVIDENCE], actor="usuario:1", at=AT, motivo="prueba",
        )  # fmt: skip
    return row


def test_texts_that_the_payer_lifted_come_back_with_their_cases_and_nothing_of_them(db: Database) -> None:
    with db.write() as session:
        old = casos.filed(session, numero="FV60001")
        provider = old.prestador_id
        same = {"prestador": session.get_one(Prestador, provider), "pagador": session.get_one(Pagador, old.pagador_id)}
        won = "No se acepta {n}: el paciente Zorvelina Prada, CC 1023456789, por {v}. La tarifa es la del anexo."
        first = _closed(
            session, old, won.format(n="FV60001", v="$ 10.000"), levantado=1_000_000,
            motivo="Tarifa mayor que la pactada en el anexo", paciente_documento="1023456789",
        )  # fmt: skip
        second_invoice = casos.filed(session, numero="FV60002", **same)
        _closed(session, second_invoice, won.format(n="FV60002", v="$ 20.000"), levantado=500_000, valor=2_000_000)
        third = casos.filed(session, **same)
        _closed(session, third, won.format(n=third.numero, v="$ 10.000"), levantado=0)
        _closed(session, third, "Nunca decidida.", levantado=None, valor=1_100_000)
        _closed(session, third, "Siempre ratificada.", levantado=0, valor=1_200_000)
        foreign = casos.filed(session)
        _closed(session, foreign, "De otro prestador.", levantado=1_000_000)
        new = casos.glosa(
            session, casos.filed(session, numero="FV90001", **same), 3_000_000, codigo="TA0801", familia="TA",
            motivo="La tarifa es mayor que la pactada",
        )  # fmt: skip
        (said,) = sugerir(session, new, prestadores=[provider])
        assert (
            said.texto
            == "No se acepta FV90001: el paciente {dato}, CC {dato}, por $ 30.000. La tarifa es la del anexo."
        )
        assert said.faltan == ("dato",)
        assert (said.decididas, said.levantadas, said.exito) == (3, 2, 67)
        assert (said.valor_decidido, said.valor_levantado) == (4_000_000, 1_500_000)
        assert {one.factura for one in said.casos} == {"FV60001", "FV60002"}
        assert first.id in {one.glosa_id for one in said.casos}
        assert said.porque.startswith("mismo código y mismo pagador; motivo parecido en")
        both = sugerir(session, new, prestadores=[provider, foreign.prestador_id])
        assert [one.texto for one in both] == [said.texto, "De otro prestador."]
        assert both[1].plantilla_id is None
        assert sugerir(session, new, prestadores=[]) == []


def test_a_nearer_code_goes_first_and_a_bad_citation_never(db: Database) -> None:
    with db.write() as session:
        old = casos.filed(session)
        _closed(session, old, "Por concepto.", levantado=1_000_000, codigo="TA0201")
        _closed(session, old, "Por el mismo código.", levantado=100_000, valor=1_100_000)
        _closed(session, old, "Ganó citando la Ley 9999 de 2020.", levantado=1_200_000, valor=1_200_000)
        new = casos.glosa(session, old, 1_300_000, codigo="TA0801", familia="TA")
        found = sugerir(session, new, prestadores=[old.prestador_id])
        assert [one.texto for one in found] == ["Por el mismo código.", "Por concepto."]
        assert found[0].casos[0].levantado == 100_000
        assert found[0].casos[0].en_juego == 1_100_000


def test_a_letter_is_of_one_payer_act_and_round_and_names_its_supports(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session, numero="FV70001")
        same = {"prestador": session.get_one(Prestador, factura.prestador_id)}
        one = casos.glosa(
            session, factura, 1_000_000, codigo="TA0801", familia="TA", servicio="902210", numero_glosa="G-9"
        )
        casos.items(session, factura, [5_000_000])
        sha = session.scalars(select(Documento.sha256).where(Documento.factura_id == factura.id)).one()
        answer = casos.answer(session, one)
        answer.soportes = [sha]
        other = casos.answer(
            session, casos.glosa(session, factura, 2_000_000), Decision.ACEPTAR_PARTE, valor_aceptado=500_000
        )
        other.codigo = "RE9801"
        carta = carta_de(session, [other, answer], numero="R-1", fecha=AT.date(), firma=("Ana", "Glosas"))
        assert [line.numero_glosa for line in carta.lineas] == ["G-9", ""]
        assert [(line.valor, line.aceptado) for line in carta.lineas] == [(1_000_000, 0), (2_000_000, 500_000)]
        assert [(one.sha256, one.factura) for one in carta.soportes] == [(sha, "FV70001")]
        assert draw(carta).startswith(b"%PDF")
        for stranger in (
            casos.answer(session, casos.glosa(session, casos.filed(session, **same))),
            casos.answer(session, casos.devolucion(session, casos.filed(session, **same))),
        ):
            with pytest.raises(BadInput, match="un solo pagador"):
                carta_de(session, [answer, stranger], numero="R-2", fecha=AT.date())
        with pytest.raises(BadInput, match="Elija"):
            carta_de(session, [], numero="R-2", fecha=AT.date())
        other.soportes = ["f" * 64]
        with pytest.raises(NotFound, match="FV70001"):
            carta_de(session, [other], numero="R-3", fecha=AT.date())


def test_the_letter_of_a_second_round_speaks_of_what_was_left(db: Database) -> None:
    with db.write() as session:
        row = _closed(session, casos.filed(session), "Primera.", levantado=400_000)
        second = casos.answer(session, row)
        carta = carta_de(session, [second], numero="R-4", fecha=AT.date())
        assert carta.ronda == 2
        assert carta.lineas[0].valor == 600_000
        first = session.scalars(select(Respuesta).where(Respuesta.ronda == 1)).one()
        assert carta_de(session, [first], numero="R-5", fecha=AT.date()).lineas[0].valor == 1_000_000


def test_the_rows_of_an_export_are_those_of_the_answers(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session, numero="FV80001")
        (item,) = casos.items(session, factura, [5_000_000])
        glosa = casos.glosa(
            session,
            factura,
            1_000_000,
            codigo="TA0801",
            familia="TA",
            numero_glosa="4455",
            servicio="890201",
            item=item,
        )
        answer = casos.answer(session, glosa)
        other = casos.answer(session, casos.devolucion(session, casos.filed(session, numero="FV80002")))
        session.get_one(Pagador, session.get_one(Factura, other.factura_id).pagador_id).nombre = "EPS Otra"
        one, two = filas_de(session, [other, answer])
        assert (one.factura, one.registro, one.codigo_servicio, one.valor, one.rips) == (
            "FV80001",
            "4455",
            "890201",
            1_000_000,
            "1",
        )
        assert (one.notificada, one.estado, one.respuesta) == (casos.NOTICED.date(), "Formulada", "RE9602")
        assert (two.factura, two.codigo, two.valor) == ("FV80002", "DE1601", 10_000_000)
        assert (one.pagador, two.pagador) == ("EPS Sabana Verde", "EPS Otra")
        assert salud_total([one], nit="900000001", fecha=AT.date(), numero=1).contenido.startswith(b"RAD")
        assert filas_de(session, []) == []


def test_a_payers_limits_are_the_providers_own_or_those_of_the_data(db: Database) -> None:
    with db.write() as session:
        factura = casos.filed(session)
        payer = session.get_one(Pagador, factura.pagador_id)
        assert limits_for(session, factura.prestador_id, payer).max_caracteres is None
        payer.nombre = "Salud Total EPS S.A."
        assert limits_for(session, factura.prestador_id, payer).max_caracteres == 500
        session.add(
            PerfilRespuesta(
                prestador_id=factura.prestador_id,
                pagador_id=payer.id,
                max_caracteres=1200,
                mayusculas=True,
                un_solo_pdf=True,
            )
        )
        session.flush()
        own = limits_for(session, factura.prestador_id, payer)
        assert (own.max_caracteres, own.mayusculas, own.un_solo_pdf, own.max_mb) == (1200, True, True, 20)
        other = factories.prestador(session)
        assert limits_for(session, other.id, payer).max_caracteres == 500
