"""Acts by hand on a line, the lines that were not matched, SIIFA and the rules of a provider."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from PIL import Image

from radica.glosas.bandeja.work import rules_of
from radica.glosas.bandeja.work_models import AjusteGlosas
from radica.glosas.models import Acto, DestinoLinea, Devolucion, Glosa, LineaNotificada, RegistroSiifa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import bogota
from radica.users.models import Rol
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.plugins import glosas as real
from tests.plugins.web import House


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(out, "PNG")
    return out.getvalue()


PNG = _picture()


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


@pytest.fixture
def ana(house: House, ips: int) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, Rol.DIRECCION, provider=ips)


def answered(house: House, provider: int) -> int:
    """Add a line that the payer has our answer to."""
    with house.database.write() as session:
        row = seed.objected(session, seed.filed_invoice(session, provider), valor=4_000_000)
        real.present(session, row, on=seed.NOTICED.replace(day=19), at=house.clock())
        return row.id


def local(moment: datetime) -> str:
    return f"{bogota(moment):%Y-%m-%dT%H:%M}"


def act(browser: Browser, path: str, name: str, *, proof: bool = True, **values: str) -> None:
    """Open a line, fill one of its acts and send it, with a picture as proof."""
    browser.open(path)
    form = browser.form(f"{path}/acto/{name}")
    data: dict[str, object] = {**dict(form.form_values()), **{f"{name}-{key}": value for key, value in values.items()}}
    data.pop(f"{name}-pruebas", None)
    if proof:
        data[f"{name}-pruebas"] = [(io.BytesIO(PNG), "prueba.png")]
    browser.raw("POST", f"{path}/acto/{name}", data=data, content_type="multipart/form-data", follow_redirects=True)


def glosa(house: House, id_: int) -> Glosa:
    with house.database.read() as session:
        return session.get_one(Glosa, id_)


@pytest.mark.parametrize(
    ("result", "lifted", "state", "left"),
    [
        ("levantada", "", EstadoGlosa.LEVANTADA_TOTAL, 0),
        ("parcial", "10.000", EstadoGlosa.LEVANTADA_PARCIAL, 3_000_000),
        ("ratificada", "", EstadoGlosa.EN_SUBSANACION, 4_000_000),
    ],
)
def test_the_payers_decision_is_recorded_with_its_proof(
    house: House, ips: int, ana: Browser, result: str, lifted: str, state: EstadoGlosa, left: int
) -> None:
    id_ = answered(house, ips)
    act(
        ana, f"/glosas/glosa/{id_}", "decision", resultado=result, levantado=lifted, fecha=local(house.clock()),
        motivo="Carta del pagador.",
    )  # fmt: skip
    assert "Quedó registrada la decisión del pagador." in ana.text
    row = glosa(house, id_)
    assert (row.estado, row.en_disputa) == (state, left)
    assert row.valor == row.aceptado + row.levantado + row.en_disputa
    with house.database.read() as session:
        said = session.query(Acto).filter_by(glosa_id=id_, tipo=TipoActo.DECISION).one()
    assert len(said.evidencia) == 1


@pytest.mark.parametrize(
    ("values", "proof", "words"),
    [
        ({"resultado": "ratificada"}, False, "Falta la prueba"),
        ({"resultado": "parcial", "levantado": "40.000"}, True, "mayor que cero y menor"),
        ({"resultado": "levantada", "fecha": "2031-01-01T08:00"}, True, "posterior a hoy"),
        ({"resultado": "levantada", "motivo": ""}, True, "Escriba lo que consta"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_in_words(
    house: House, ips: int, ana: Browser, values: dict[str, str], proof: bool, words: str
) -> None:
    id_ = answered(house, ips)
    told = {"fecha": local(house.clock()), "motivo": "Carta del pagador.", **values}
    act(ana, f"/glosas/glosa/{id_}", "decision", proof=proof, **told)
    assert ana.status == 422
    assert words in ana.text
    assert glosa(house, id_).estado is EstadoGlosa.RESPONDIDA


def test_a_return_is_withdrawn_whole(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        id_ = seed.returned(session, seed.filed_invoice(session, ips)).id
    act(
        ana, f"/glosas/devolucion/{id_}", "decision", resultado="levantada", fecha=local(house.clock()),
        motivo="Correo del pagador.",
    )  # fmt: skip
    with house.database.read() as session:
        assert session.get_one(Devolucion, id_).estado is EstadoDevolucion.LEVANTADA


def test_only_who_runs_the_provider_annuls(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        id_ = seed.objected(session, seed.filed_invoice(session, ips)).id
    luis = house.entered("luis@norte.example", Rol.GLOSAS, provider=ips)
    luis.open(f"/glosas/glosa/{id_}")
    assert not luis.tree().xpath("//form[contains(@action, '/acto/anular')]")
    act(ana, f"/glosas/glosa/{id_}", "anular", proof=False, motivo="Se cargó el archivo de otra sede.")
    assert glosa(house, id_).estado is EstadoGlosa.ANULADA


def test_the_true_notice_date_moves_the_term(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        id_ = seed.objected(session, seed.filed_invoice(session, ips)).id
    before = glosa(house, id_).vence
    earlier = seed.NOTICED.replace(day=10)
    act(ana, f"/glosas/glosa/{id_}", "fecha", fecha=local(earlier), motivo="El correo llegó antes.")
    assert "el término se contó de nuevo" in ana.text
    after = glosa(house, id_).vence
    assert before is not None
    assert after is not None
    assert after < before


def test_what_was_ratified_may_be_declared_final_or_accepted(house: House, ips: int, ana: Browser) -> None:
    first, second = answered(house, ips), answered(house, ips)
    for id_ in (first, second):
        act(
            ana, f"/glosas/glosa/{id_}", "decision", resultado="ratificada", fecha=local(house.clock()),
            motivo="Carta del pagador.",
        )  # fmt: skip
    act(ana, f"/glosas/glosa/{first}", "definitiva", proof=False, motivo="No hay más que aportar.")
    act(ana, f"/glosas/glosa/{second}", "aceptar", proof=False, motivo="El contrato le da la razón.")
    assert glosa(house, first).estado is EstadoGlosa.DEFINITIVA
    assert (glosa(house, second).estado, glosa(house, second).en_disputa) == (EstadoGlosa.ACEPTADA_TOTAL, 0)


def test_a_loose_line_is_discarded_with_a_reason(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        _, line = seed.notice(session, ips)
    ana.open(f"/glosas/lineas/{line.id}")
    assert "no está entre las suyas" in ana.text
    ana.fill(f"/glosas/lineas/{line.id}/cruzar", factura="FE1", motivo="Es esa.")
    assert ana.status == 422
    assert "no está entre las de este prestador" in ana.text
    ana.open(f"/glosas/lineas/{line.id}")
    ana.fill(f"/glosas/lineas/{line.id}/descartar", motivo="Es de otra IPS.")
    assert ana.path == "/glosas/lineas"
    with house.database.read() as session:
        row = session.get_one(LineaNotificada, line.id)
        assert row.destino is DestinoLinea.DESCARTADA
        assert row.resuelta_por == f"usuario:{house.person('ana@norte.example', {})}"


def test_a_loose_line_is_matched_to_an_invoice(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        invoice = seed.filed_invoice(session, ips)
        _, line = seed.notice(session, ips)
    ana.open(f"/glosas/lineas/{line.id}")
    ana.fill(f"/glosas/lineas/{line.id}/cruzar", factura=invoice.numero, motivo="Escribieron mal el número.")
    with house.database.read() as session:
        row = session.get_one(LineaNotificada, line.id)
        assert row.destino is DestinoLinea.CARGADA, row.motivo
        assert session.get_one(Glosa, row.glosa_id).factura_id == invoice.id


def test_siifa_waits_until_somebody_notes_it(house: House, ips: int, ana: Browser) -> None:
    answered(house, ips)
    ana.open("/glosas/siifa")
    assert "1 acto por registrar" in ana.text
    acto = ana.tree().xpath("//input[@name='actos']/@value")[0]
    ana.fill(actos=acto, referencia="")
    assert ana.status == 422
    ana.open("/glosas/siifa")
    ana.fill(actos=acto, referencia="SF-10")
    assert "SIIFA está al día" in ana.text
    with house.database.read() as session:
        assert session.query(RegistroSiifa).one().referencia == "SF-10"


def test_rules_are_kept_in_their_order_and_share_at_once(house: House, ips: int, ana: Browser) -> None:
    luis = house.person("luis@norte.example", {ips: (Rol.GLOSAS,)}, nombre="Luis Prueba")
    with house.database.write() as session:
        id_ = seed.objected(session, seed.filed_invoice(session, ips)).id
    ana.open("/glosas/reglas")
    ana.fill(f"/glosas/reglas/{ips}", familia="TA", desde="10.000", usuario_id=str(luis))
    ana.fill(f"/glosas/reglas/{ips}", usuario_id=str(luis), hasta="1.000")
    with house.database.read() as session:
        first, second = rules_of(session, ips)
        assert (first.familia, first.desde, second.hasta) == ("TA", 1_000_000, 100_000)
    ana.fill(f"/glosas/reglas/{second.id}/subir")
    with house.database.read() as session:
        assert [one.id for one in rules_of(session, ips)] == [second.id, first.id]
    ana.fill(f"/glosas/reglas/{ips}/repartir")
    assert "1 línea quedó repartida" in ana.text
    assert glosa(house, id_).responsable_id == luis


def test_a_rule_that_cannot_be_is_refused(house: House, ips: int, ana: Browser) -> None:
    outsider = house.person("otro@sur.example", {house.provider("IPS del Sur"): (Rol.GLOSAS,)})
    ana.open("/glosas/reglas")
    token = ana.tree().xpath("//input[@name='csrf_token']/@value")[0]
    for values in ({"usuario_id": outsider}, {"usuario_id": ""}):
        ana.raw("POST", f"/glosas/reglas/{ips}", data={"csrf_token": token, **values})
        assert ana.status == 422
    with house.database.read() as session:
        assert rules_of(session, ips) == []


def test_watching_is_a_setting_of_the_provider(house: House, ips: int, ana: Browser) -> None:
    ana.open("/glosas/reglas")
    boss = house.person("ana@norte.example", {})
    ana.fill(f"/glosas/reglas/{ips}/ajustes", cuatro_ojos_desde="5.000.000", escalar_a_id=str(boss), escalar_dias="3")
    with house.database.read() as session:
        row = session.get_one(AjusteGlosas, ips)
        assert (row.cuatro_ojos_desde, row.escalar_a_id, row.escalar_dias) == (500_000_000, boss, 3)
    luis = house.entered("luis@norte.example", Rol.GLOSAS, provider=ips)
    luis.open("/glosas/reglas")
    assert luis.status == 403
