"""The jobs that seal and stamp, where their lines are told, and the commands that a person has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bots.simulador.tsa import Handle
from radica.app.cli.children import environment
from radica.app.cli.procesos import ALL_HANDLERS
from radica.app.handlers import sellar
from radica.app.handlers.sellar_publicar import FILE, publish, published_line, to_file
from radica.app.house import House, make_house
from radica.app.reloj import TICKS
from radica.audit import merkle
from radica.audit.chain import link_hash
from radica.audit.models import ChainHead
from radica.custodia import sellos
from radica.custodia.arbol import leaf_bytes
from radica.custodia.seal_models import PublicacionSello, Sello, TokenTiempo
from radica.jobs.queue import claim_next
from radica.kernel.clock import fixed_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database, insert_rows
from tests import factories
from tests.factories import NOW
from tests.plugins.mail import Smtp

AUDITOR = "auditoria@hospital.co"


def _grow(db: Database, prefix: str) -> None:
    with db.write() as session:
        insert_rows(session, ChainHead, [{"case_key": f"{prefix}:1", "seq": 1, "hash": "a" * 64}])


def _do_next(house: House) -> str:
    claimed = claim_next(house.db, house.owner, house.host, 60)
    if claimed is None:
        return ""
    ALL_HANDLERS[claimed.kind](house, claimed)
    return claimed.kind


@pytest.fixture
def house(db: Database, stamped_house: Settings) -> House:
    return make_house(stamped_house, db, environ={}, clock=fixed_clock(NOW))


def test_sealing_is_ordered_when_a_chain_has_grown_and_once(db: Database, house: House) -> None:
    assert sellar.order_seal(db) == 0, "nothing to seal"
    _grow(db, "factura")
    sellar.order_seal(db)
    sellar.order_seal(db)  # another clock
    assert _do_next(house) == "sellar"
    assert _do_next(house) == "", "one job was alive"
    assert sellar.order_seal(db) == 0
    with db.read() as session:
        assert len(list(session.scalars(select(TokenTiempo)))) == 1
    assert {"sellar", "estampar"} <= {tick.name for tick in TICKS}


def test_a_clock_set_back_keeps_nobody_from_sealing(db: Database, house: House) -> None:
    tick = next(one for one in TICKS if one.name == "sellar")
    for n, at in enumerate((NOW, NOW - timedelta(days=2), NOW - timedelta(days=2))):
        _grow(db, f"factura{n}")
        assert tick.order(db, house.settings, at) == 1
        assert _do_next(replace(house, clock=fixed_clock(at))) == "sellar"
    with db.read() as session:
        seals = list(session.scalars(select(Sello).order_by(Sello.hojas)))
        assert [one.hojas for one in seals] == [1, 2, 3]
        assert sellos.clock_went_back(seals[0], seals[1])
        assert not sellos.clock_went_back(seals[1], seals[2])


def test_a_head_that_waits_is_stamped_by_its_own_job(db: Database, house: House, tsa: Handle) -> None:
    tsa.configure(mode="down")
    _grow(db, "factura")
    sellar.order_seal(db)
    assert _do_next(house) == "sellar"
    assert sellar.order_stamp(db, house.settings, NOW) == 0, "it has just failed"
    later = NOW + timedelta(minutes=2)
    assert sellar.order_stamp(db, house.settings, later) == 1
    tsa.configure(mode="ok")
    assert _do_next(replace(house, clock=fixed_clock(later))) == "estampar"
    with db.read() as session:
        assert len(list(session.scalars(select(TokenTiempo)))) == 1
    assert sellar.order_stamp(db, house.settings, later + timedelta(minutes=9)) == 0


def test_the_file_holds_each_line_once_in_order(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "publico" / "sellos.txt"
    seals = []
    for n in range(3):
        _grow(db, f"factura{n}")
        seals.append(sellos.seal(db, clock=fixed_clock(NOW + timedelta(minutes=n))))
        assert to_file(db, path, clock=fixed_clock(NOW)) == 1
        assert to_file(db, path, clock=fixed_clock(NOW)) == 0
    assert path.read_text() == "".join(published_line(one) for one in seals if one)
    assert published_line(seals[0]) == f"radica/1 1 {seals[0].raiz} 2026-11-20T15:00:00.000000Z\n"
    with db.read() as session:
        assert {row.destino for row in session.scalars(select(PublicacionSello))} == {FILE}


def test_a_crash_between_line_and_note_repeats_no_line(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "sellos.txt"
    _grow(db, "factura")
    first = sellos.seal(db, clock=fixed_clock(NOW))
    assert first is not None
    path.write_text(published_line(first) + "radica/1 2 half a li")
    _grow(db, "glosa")
    second = sellos.seal(db, clock=fixed_clock(NOW))
    assert second is not None
    assert to_file(db, path, clock=fixed_clock(NOW)) == 1
    assert path.read_text().splitlines() == [
        published_line(first).strip(),
        "radica/1 2 half a li",
        published_line(second).strip(),
    ]


def test_the_auditor_gets_the_lines_once_a_day(db: Database, smtp: Smtp, stamped_house: Settings) -> None:
    settings = replace(stamped_house, seal_mail=AUDITOR)
    environ = {"RADICA_SMTP_URL": smtp.url(), "RADICA_SMTP_REMITENTE": "radica@hospital.co"}
    told = []
    for n, hours in enumerate((0, 1, 24)):
        _grow(db, f"factura{n}")
        clock = fixed_clock(NOW + timedelta(hours=hours))
        told.append(sellos.seal(db, clock=clock))
        publish(db, settings, environ, clock=clock)
    mails = [words.decode() for _, words in smtp.buzonero.recibidos]
    assert [one.count("radica/1 ") for one in mails] == [1, 2]
    assert all(seal is not None and seal.raiz in "".join(mails).replace("=\r\n", "") for seal in told)
    assert [to for to, _ in smtp.buzonero.recibidos] == [AUDITOR, AUDITOR]


def test_a_mail_server_that_is_away_is_tried_again_and_hinders_nothing(
    db: Database, smtp: Smtp, stamped_house: Settings
) -> None:
    settings = replace(stamped_house, seal_mail=AUDITOR)
    environ = {"RADICA_SMTP_URL": smtp.url(), "RADICA_SMTP_REMITENTE": "radica@hospital.co"}
    _grow(db, "factura")
    sellos.seal(db, clock=fixed_clock(NOW))
    publish(db, settings, {}, clock=fixed_clock(NOW))
    publish(db, settings, {**environ, "RADICA_SMTP_URL": "smtp://127.0.0.1:9"}, clock=fixed_clock(NOW))
    smtp.buzonero.despues = AUDITOR
    publish(db, settings, environ, clock=fixed_clock(NOW))
    assert smtp.buzonero.recibidos == []
    smtp.buzonero.despues = ""
    publish(db, settings, environ, clock=fixed_clock(NOW))
    publish(db, settings, environ, clock=fixed_clock(NOW))
    assert len(smtp.buzonero.recibidos) == 1


def test_a_mail_that_may_have_been_sent_is_not_repeated_that_day(
    db: Database, smtp: Smtp, stamped_house: Settings
) -> None:
    settings = replace(stamped_house, seal_mail=AUDITOR)
    environ = {"RADICA_SMTP_URL": smtp.url(), "RADICA_SMTP_REMITENTE": "radica@hospital.co"}
    _grow(db, "factura")
    sellos.seal(db, clock=fixed_clock(NOW))
    smtp.buzonero.cuelga = True
    publish(db, settings, environ, clock=fixed_clock(NOW))
    publish(db, settings, environ, clock=fixed_clock(NOW + timedelta(minutes=5)))
    assert len(smtp.buzonero.recibidos) == 1
    smtp.buzonero.cuelga = False
    publish(db, settings, environ, clock=fixed_clock(NOW + timedelta(days=1)))
    assert len(smtp.buzonero.recibidos) == 2, "its lines come again with the next day's"


def _radica(settings: Settings, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RADICA_")}
    environ |= {"RADICA_DATABASE_URL": url, "RADICA_TSA": f"una={settings.tsa[0].url}"}
    return subprocess.run(
        [sys.executable, "-m", "radica.app.cli", "--datos", str(settings.datos), "custodia", *words],
        capture_output=True, text=True, check=False, timeout=120, env=environment(environ),
    )  # fmt: skip


def test_the_commands_of_a_person(
    db: Database, database_url: str, stamped_house: Settings, tsa: Handle, tmp_path: Path
) -> None:
    with db.write() as session:
        row = factories.factura(session, factories.prestador(session), factories.pagador(session), numero="FE77001")
        case = row.case_key
    done = _radica(stamped_house, database_url, "sellar", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sellos_de_tiempo"] == 1
    place = tmp_path / "prueba.json"
    done = _radica(stamped_house, database_url, "prueba", "--factura", "FE77001", "--salida", str(place))
    assert (done.returncode, case in done.stdout) == (0, True), done.stderr
    proof = json.loads(place.read_text())
    leaf = proof["hoja"]
    content = {key: value for key, value in proof["cadena"][0].items() if key != "hash"}
    assert link_hash(content) == proof["eslabon"] == leaf["hash"]
    digest = merkle.leaf_hash(leaf_bytes(leaf["tipo"], leaf["nombre"], leaf["seq"], leaf["hash"]))
    path = [bytes.fromhex(one) for one in proof["camino"]]
    root = bytes.fromhex(proof["sello"]["raiz"])
    assert merkle.verify_inclusion(digest, leaf["indice"], proof["sello"]["hojas"], path, root)
    again = _radica(stamped_house, database_url, "prueba", "--factura", "FE77001", "--salida", str(place))
    assert (again.returncode, "no se sobrescribió" in again.stderr) == (2, True)
    tsa.configure(mode="rubbish")
    done = _radica(stamped_house, database_url, "sellar")  # the reading of the proof is new
    assert (done.returncode, "1 esperan" in done.stdout) == (1, True), done.stdout + done.stderr
    listed = json.loads(_radica(stamped_house, database_url, "sellos", "--json").stdout)
    assert [len(one["tokens"]) for one in listed["sellos"]] == [0, 1]
    assert listed["sellos"][0]["ultimo_fallo"] == "una: respuesta_ilegible"
    older, newer = listed["sellos"][1]["id"], listed["sellos"][0]["id"]
    done = _radica(stamped_house, database_url, "consistencia", "--desde", str(older), "--hasta", str(newer), "--json")
    found = json.loads(done.stdout)
    assert merkle.verify_consistency(
        found["desde"]["hojas"],
        found["hasta"]["hojas"],
        bytes.fromhex(found["desde"]["raiz"]),
        bytes.fromhex(found["hasta"]["raiz"]),
        [bytes.fromhex(one) for one in found["camino"]],
    )
    for words in (["prueba", "--caso", "factura:999"], ["consistencia", "--desde", "2", "--hasta", "99"]):
        done = _radica(stamped_house, database_url, *words)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
