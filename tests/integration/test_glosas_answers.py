"""Templates, suggestions, letters and exports over stored answers, on both databases."""

from __future__ import annotations

import pytest

from radica.entidades.models import Prestador
from radica.glosas import templates_store as store
from radica.glosas.states import EstadoRespuesta
from radica.glosas.work_models import Decision, Plantilla
from radica.kernel.db import Database
from radica.kernel.errors import BadInput
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
