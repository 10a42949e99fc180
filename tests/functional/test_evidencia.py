"""The page of proof of an invoice: each link with its seal, and a proof that computes again without the house."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from radica.app.demo.data import generate, write_package
from radica.audit import merkle
from radica.audit.chain import link_hash
from radica.custodia.arbol import leaf_bytes
from radica.custodia.backends import open_store
from radica.custodia.seal_models import TokenTiempo
from radica.custodia.sellos import last_seal, seal
from radica.facturas.intake import import_paths
from radica.facturas.models import Factura
from radica.facturas.tray import operator_scope
from radica.kernel.clock import civil_date
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.plugins.web import House


def _imported(house: House, folder: Path) -> tuple[int, Browser]:
    built = next(iter(generate(seed=5, packages=1, hoy=civil_date(house.clock()), defects=False)))
    write_package(folder / "demo", built)
    import_paths(
        house.database,
        open_store(house.settings),
        [folder / "demo"],
        operator_scope("consola:prueba"),
        clock=house.clock,
        workdir=house.settings.incoming,
    )
    with house.database.read() as session:
        row = session.scalars(select(Factura)).one()
    return row.id, house.entered("auditora@ips.example", Rol.AUDITORIA, provider=row.prestador_id)


def test_links_wait_for_their_seal_and_show_it(house: House, tmp_path: Path) -> None:
    invoice, browser = _imported(house, tmp_path)
    browser.open(f"/facturas/{invoice}/prueba")
    waiting = len(browser.tree().xpath("//li[contains(@class, 'eslabon')]"))
    assert waiting >= 2
    assert browser.text.count("por sellar") >= waiting

    seal(house.database, clock=house.clock)
    browser.open(f"/facturas/{invoice}/prueba")
    assert browser.text.count("sin estampa de tiempo") == waiting

    with house.database.write() as session:
        over = last_seal(session)
        assert over is not None
        hour = datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)
        session.add(
            TokenTiempo(
                sello_id=over.id, tsa="notaria", token=b"0", cadena="", hora=hour, serie="1", acreditada=False,
                recibido_at=hour,
            )
        )  # fmt: skip
    browser.open(f"/facturas/{invoice}/prueba")
    assert browser.text.count("notaria") == waiting
    assert "autoridad no acreditada" in browser.text


def test_the_proof_of_a_link_computes_again_from_its_file_alone(house: House, tmp_path: Path) -> None:
    invoice, browser = _imported(house, tmp_path)
    seal(house.database, clock=house.clock)
    browser.open(f"/facturas/{invoice}/prueba")
    oldest = browser.tree().xpath("//li[contains(@class, 'eslabon')]//a[contains(@href, '.json')]/@href")[-1]
    body = json.loads(browser.raw("GET", oldest).get_data())

    previous = None
    for link in body["cadena"]:
        told = link.pop("hash")
        assert link_hash(link) == told
        assert previous in {None, link["prev"]}
        previous = told
    leaf = body["hoja"]
    assert leaf["hash"] == previous
    digest = merkle.leaf_hash(leaf_bytes(leaf["tipo"], leaf["nombre"], leaf["seq"], leaf["hash"]))
    path = [bytes.fromhex(one) for one in body["camino"]]
    seal_ = body["sello"]
    assert merkle.verify_inclusion(digest, leaf["indice"], seal_["hojas"], path, bytes.fromhex(seal_["raiz"]))


def test_a_link_of_another_case_or_not_sealed_gives_no_proof(house: House, tmp_path: Path) -> None:
    invoice, browser = _imported(house, tmp_path)
    assert browser.raw("GET", f"/facturas/{invoice}/prueba/1.json").status_code == 404  # not sealed yet
    assert browser.raw("GET", f"/facturas/{invoice}/prueba/999999.json").status_code == 404
    stranger = house.entered("otra@ips.example", Rol.AUDITORIA, provider=house.provider("IPS Ajena"))
    assert stranger.raw("GET", f"/facturas/{invoice}/prueba").status_code == 404
