"""Templates of a provider and what its payers take: seen on a real line, versioned, retired; limits kept and undone."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from radica.glosas.bandeja.work_models import PerfilRespuesta, Plantilla
from radica.glosas.models import Glosa
from radica.glosas.respuesta.templates_store import crear_version
from radica.users.models import Rol
from tests import factories
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.plugins.web import House

TEXTO = "La factura {factura} cobra {item} a la tarifa de {contrato}."


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


@pytest.fixture
def ana(house: House, ips: int) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)


@pytest.fixture
def jefe(house: House, ips: int) -> Browser:
    return house.entered("jefe@norte.example", Rol.DIRECCION, provider=ips)


def template(house: House, ips: int, **more: object) -> int:
    values: dict[str, object] = {
        "clave": "tarifa-nuestra", "nombre": "Tarifa nuestra", "texto": TEXTO, "respuesta": "RE9602", "codigo": "TA",
    }  # fmt: skip
    with house.database.write() as session:
        row = crear_version(session, prestador_id=ips, actor="prueba", at=house.clock(), **(values | more))  # type: ignore[arg-type]
        return row.id


def line(house: House, ips: int) -> str:
    """Add a line that waits; return the number of its invoice."""
    with house.database.write() as session:
        invoice = seed.filed_invoice(session, ips)
        seed.objected(session, invoice, descripcion_servicio="Consulta de control")
        return invoice.numero


def of(house: House, key: str) -> list[Plantilla]:
    with house.database.read() as session:
        return list(session.scalars(select(Plantilla).where(Plantilla.clave == key).order_by(Plantilla.version)))


def test_a_new_template_is_seen_on_a_real_line_before_it_is_kept(house: House, ips: int, ana: Browser) -> None:
    number = line(house, ips)
    ana.open("/glosas/plantillas")
    ana.open(f"/glosas/plantillas/nueva/{ips}")
    typed = {"clave": "Tarifa-Nuestra", "nombre": "Tarifa nuestra", "codigo": "ta", "texto": TEXTO}
    ana.fill(hacer="ver", **typed)
    assert ana.status == 200, ana.text
    (shown,) = ana.tree().xpath("//*[@id='vista']/text()")
    assert shown == f"La factura {number} cobra Consulta de control a la tarifa de {{contrato}}."
    assert of(house, "tarifa-nuestra") == []
    ana.fill(hacer="guardar")
    assert "quedó vigente en su versión 1" in ana.text
    (kept,) = of(house, "tarifa-nuestra")
    assert (kept.codigo, kept.respuesta, kept.texto, kept.vigente) == ("TA", "RE9602", TEXTO, True)


@pytest.mark.parametrize(
    ("texto", "said"),
    [
        ("Es la de {tarifario}.", "No existe la variable {tarifario}"),
        ("Según la Ley 9999 de 2031, no procede.", "que no está en el catálogo de normas"),
        ("Una llave { suelta.", "Hay una llave suelta"),
    ],
)
@pytest.mark.parametrize("hacer", ["ver", "guardar"])
def test_what_no_template_may_say_stands_at_its_field_and_is_kept(
    house: House, ips: int, ana: Browser, texto: str, said: str, hacer: str
) -> None:
    id_ = template(house, ips)
    ana.open(f"/glosas/plantillas/{id_}")
    ana.fill(hacer=hacer, texto=texto)
    assert ana.status == 422
    (error,) = ana.tree().xpath("//*[@id='texto-nota']//p[contains(@class,'campo-error')]")
    assert said in error.text_content()
    assert ana.tree().xpath("//textarea[@name='texto']")[0].text.strip() == texto
    assert [one.version for one in of(house, "tarifa-nuestra")] == [1]


def test_a_code_of_no_manual_stands_at_the_code(house: House, ips: int, ana: Browser) -> None:
    id_ = template(house, ips)
    ana.open(f"/glosas/plantillas/{id_}")
    ana.fill(hacer="guardar", codigo="ZZ99")
    assert ana.status == 422
    assert "ZZ99" in ana.tree().xpath("//*[@id='codigo-nota']")[0].text_content()


def test_a_change_is_a_new_version_and_the_old_one_stays(house: House, ips: int, ana: Browser) -> None:
    id_ = template(house, ips)
    ana.open(f"/glosas/plantillas/{id_}")
    ana.fill(hacer="guardar", texto="La tarifa es la pactada.")
    assert "versión 2" in ana.text
    assert [(one.version, one.vigente, one.texto) for one in of(house, "tarifa-nuestra")] == [
        (1, False, TEXTO),
        (2, True, "La tarifa es la pactada."),
    ]


def test_a_version_that_somebody_wrote_meanwhile_is_not_covered(house: House, ips: int, ana: Browser) -> None:
    id_ = template(house, ips)
    ana.open(f"/glosas/plantillas/{id_}")
    template(house, ips, texto="La de otra persona.")
    ana.fill(hacer="guardar", texto="La mía.")
    assert ana.status == 422
    assert "Otra persona escribió la versión 2" in ana.text
    assert ana.tree().xpath("//textarea[@name='texto']")[0].text.strip() == "La mía."
    assert len(of(house, "tarifa-nuestra")) == 2


def test_a_key_in_use_is_refused_for_a_new_template(house: House, ips: int, ana: Browser) -> None:
    template(house, ips)
    ana.open(f"/glosas/plantillas/nueva/{ips}")
    ana.fill(hacer="guardar", clave="tarifa-nuestra", nombre="Otra", texto="Otra cosa.")
    assert ana.status == 422
    assert "Ya hay una plantilla con la clave" in ana.text
    assert len(of(house, "tarifa-nuestra")) == 1


def test_a_retired_template_is_not_offered_and_its_versions_stay(house: House, ips: int, ana: Browser) -> None:
    id_ = template(house, ips)
    ana.open("/glosas/plantillas")
    ana.fill(f"/glosas/plantillas/{id_}/retirar")
    assert "ya no se ofrece" in ana.text
    assert not ana.tree().xpath(f"//a[@href='/glosas/plantillas/{id_}']")
    assert [one.vigente for one in of(house, "tarifa-nuestra")] == [False]


def test_the_list_says_how_often_it_was_used_and_lifted(house: House, ips: int, ana: Browser) -> None:
    id_ = template(house, ips, texto="La tarifa es la pactada.")
    line(house, ips)
    with house.database.read() as session:
        glosa_id = session.scalars(select(Glosa.id)).one()
    ana.open(f"/glosas/glosa/{glosa_id}")
    ana.fill(
        f"/glosas/glosa/{glosa_id}/respuesta", decision="defender", texto="La tarifa es la pactada.",
        plantilla=str(id_), hacer="guardar",
    )  # fmt: skip
    ana.open("/glosas/plantillas")
    (used,) = ana.tree().xpath(f"//tr[.//a[@href='/glosas/plantillas/{id_}']]/td[@data-label='Usada']/text()")
    assert used.strip() == "1"
    assert "sin decisiones" in ana.text


def test_limits_of_a_payer_are_kept_and_undone(house: House, ips: int, jefe: Browser) -> None:
    line(house, ips)
    jefe.open("/glosas/pagadores")
    token = jefe.tree().xpath("//input[@name='csrf_token']/@value")[0]
    payer = jefe.tree().xpath("//input[@name='pagador_id']/@value")[0]
    data = {"csrf_token": token, "pagador_id": payer, "max_caracteres": "500", "mayusculas": "si"}
    jefe.raw("POST", f"/glosas/pagadores/{ips}", data={**data, "hacer": "guardar"}, follow_redirects=True)
    assert "puesto aquí" in jefe.text
    with house.database.read() as session:
        row = session.scalars(select(PerfilRespuesta)).one()
        assert (row.max_caracteres, row.mayusculas, row.un_solo_pdf) == (500, True, False)
    jefe.raw("POST", f"/glosas/pagadores/{ips}", data={**data, "max_caracteres": "12"})
    assert jefe.status == 422
    assert "van de 40" in jefe.text
    jefe.open("/glosas/pagadores")
    jefe.raw("POST", f"/glosas/pagadores/{ips}", data={**data, "hacer": "quitar"}, follow_redirects=True)
    assert "puesto aquí" not in jefe.text
    with house.database.read() as session:
        assert session.scalars(select(PerfilRespuesta)).all() == []


def test_a_payer_that_never_objected_here_has_no_limits(house: House, ips: int, jefe: Browser) -> None:
    line(house, ips)
    with house.database.write() as session:
        other = factories.pagador(session).id
    jefe.open("/glosas/pagadores")
    token = jefe.tree().xpath("//input[@name='csrf_token']/@value")[0]
    jefe.raw("POST", f"/glosas/pagadores/{ips}", data={"csrf_token": token, "pagador_id": other})
    assert jefe.status == 404


def test_answerers_write_templates_but_not_limits(house: House, ips: int, ana: Browser) -> None:
    ana.open("/glosas/plantillas")
    assert ana.status == 200
    ana.open("/glosas/pagadores")
    assert ana.status == 403
