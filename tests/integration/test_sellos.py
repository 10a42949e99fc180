"""Heads become leaves once, the tree never forks, proofs hold and a rewritten past shows, on both databases."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from radica.audit import merkle
from radica.audit.models import ChainHead
from radica.audit.services import advance, record_reading
from radica.custodia import pruebas, sellos
from radica.custodia.arbol import Tree, leaf_bytes
from radica.custodia.seal_models import Hoja, Mosaico, Sello, TipoHoja
from radica.facturas.states import EventoFactura
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database, insert_rows
from radica.kernel.errors import BadInput, NotFound, Unavailable
from tests import factories
from tests.factories import NOW

CLOCK = fixed_clock(NOW)


def _invoices(db: Database, count: int) -> list[str]:
    with db.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        return [factories.factura(session, provider, payer).case_key for _ in range(count)]


def _heads(db: Database, count: int, *, prefix: str = "factura") -> None:
    """Heads of chains as an import leaves them; the tree asks for no more than them."""
    rows = [
        {"case_key": f"{prefix}:{n:07d}", "seq": 1, "hash": merkle.leaf_hash(f"{prefix}{n}".encode()).hex()}
        for n in range(count)
    ]
    with db.write() as session:
        insert_rows(session, ChainHead, rows)


def _move(db: Database, case: str) -> None:
    with db.write() as session:
        head = session.get_one(ChainHead, case)
        head.seq, head.hash, head.pendiente = head.seq + 1, merkle.leaf_hash(head.hash.encode()).hex(), True


def _leaves(session: Session) -> list[tuple[int, str, int]]:
    return [(row.indice, row.nombre, row.seq) for row in session.scalars(select(Hoja).order_by(Hoja.indice))]


def test_every_head_is_a_leaf_once_a_link(db: Database) -> None:
    first, second = _invoices(db, 2)
    seal = sellos.seal(db, clock=CLOCK)
    assert seal is not None
    assert seal.hojas == 2
    assert sellos.seal(db, clock=CLOCK) is None, "nothing new, no seal"
    with db.write() as session:
        one = session.scalars(select(factories.Factura).where(factories.Factura.id == int(first.split(":")[1]))).one()
        advance(session, one, EventoFactura.ABRIR_ENVIO, actor="persona:1", at=NOW, reason="orden_de_persona")
        record_reading(
            session,
            prestador_id=one.prestador_id, actor="persona:1", action="ver", purpose="auditoria", object_="blob:1",
            at=NOW, case_key=first,
        )  # fmt: skip
        provider = one.prestador_id
    again = sellos.seal(db, clock=CLOCK)
    assert again is not None
    with db.read() as session:
        assert _leaves(session) == [
            (0, first, 1),
            (1, second, 1),
            (2, first, 2),
            (3, f"lecturas:{provider}", 1),
        ]
        assert sellos.unsealed(session) == 0
        head = session.get_one(ChainHead, first)
        leaf = pruebas.leaf_covering(session, first, 2)
        assert (leaf.hash, leaf.seq) == (head.hash, 2)
        assert pruebas.leaf_covering(session, second, 1).indice == 1


def test_the_leaf_of_the_documents(db: Database) -> None:
    """The vector that the offline verifier repeats."""
    assert leaf_bytes("cadena", "factura:12", 3, "a" * 64) == (
        b'\x01{"hash":"' + b"a" * 64 + b'","nombre":"factura:12","seq":3,"tipo":"cadena"}'
    )
    assert merkle.leaf_hash(leaf_bytes(TipoHoja.CADENA, "factura:12", 3, "a" * 64)).hex() == VECTOR
    seal = Sello(hojas=7, raiz="b" * 64)
    assert sellos.sello_line(seal) == b"radica/1 7 " + b"b" * 64 + b"\n"


VECTOR = "2f3b8b4d8b47e8883e921b89f537ca00b14045bdb4adc823d73e0eced3df7861"


def test_proofs_hold_at_sizes_around_the_tiles(db: Database) -> None:
    sizes = []
    for n, step in enumerate((1, 254, 1, 1, 255, 300)):
        _heads(db, step, prefix=f"lote{n}")
        seal = sellos.seal(db, clock=CLOCK)
        assert seal is not None
        sizes.append(seal.hojas)
    assert sizes == [1, 255, 256, 257, 512, 812]
    with db.read() as session:
        leaves = [bytes.fromhex(row.hoja) for row in pruebas.leaf_rows(session)]
        seals = list(session.scalars(select(Sello).order_by(Sello.hojas)))
        assert [seal.raiz for seal in seals] == [merkle.root(leaves[: seal.hojas]).hex() for seal in seals]
        assert len(list(session.scalars(select(Mosaico)))) == 3
        for index in (0, 1, 254, 255, 256, 511, 512, 700, 811):
            row = session.get_one(Hoja, index)
            proof = pruebas.proof_of(session, row, sello=seals[-1])
            assert [bytes.fromhex(one) for one in proof.path] == merkle.inclusion_path(leaves, index)
        for older in seals:
            for newer in seals:
                if older.hojas <= newer.hojas:
                    path = pruebas.consistency(session, older, newer).path
                    assert [bytes.fromhex(one) for one in path] == merkle.consistency_path(
                        leaves[: newer.hojas], older.hojas
                    )
        assert pruebas.recompute_roots(session, sizes) == {seal.hojas: bytes.fromhex(seal.raiz) for seal in seals}
        assert list(pruebas.altered_leaves(session)) == []
        assert list(pruebas.altered_tiles(session)) == []


def test_a_tree_of_three_levels_reads_roots_of_tiles(db: Database) -> None:
    _heads(db, 66_000)
    seal = sellos.seal(db, clock=CLOCK)
    assert seal is not None
    with db.read() as session:
        leaves = [bytes.fromhex(row.hoja) for row in pruebas.leaf_rows(session)]
        assert seal.raiz == merkle.root(leaves).hex()
        tree = Tree(session, seal.hojas)
        for index in (0, 65_535, 65_536, 65_999):
            assert tree.inclusion(index) == merkle.inclusion_path(leaves, index)
        assert {row.nivel for row in session.scalars(select(Mosaico))} == {0, 1}
    _move(db, "factura:0000007")
    newer = sellos.seal(db, clock=CLOCK)
    assert newer is not None
    with db.read() as session:
        assert newer.hojas == seal.hojas + 1
        assert pruebas.consistency(session, session.get_one(Sello, seal.id), newer).path


def test_sealers_at_once_do_not_fork_the_tree(db: Database) -> None:
    cases = _invoices(db, 12)

    def work(n: int) -> None:
        if n % 3 == 0:
            sellos.seal(db, clock=CLOCK)
            return
        if n % 3 == 1:
            with db.write() as session:
                sellos.add_manifest(session, expediente=f"expediente:{n}", seq=1, sha256="c" * 64, at=NOW)
            return
        with db.write() as session:
            record_reading(
                session,
                prestador_id=1, actor="persona:1", action="ver", purpose="auditoria", object_=f"blob:{n}", at=NOW,
            )  # fmt: skip

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(36)))
    sellos.seal(db, clock=CLOCK)
    with db.read() as session:
        leaves = _leaves(session)
        assert [index for index, _, _ in leaves] == list(range(len(leaves)))
        assert len({one[1:] for one in leaves}) == len(leaves)
        assert {name for _, name, _ in leaves} >= set(cases)
        assert sellos.unsealed(session) == 0
        seals = list(session.scalars(select(Sello).order_by(Sello.hojas)))
        assert {seal.hojas: bytes.fromhex(seal.raiz) for seal in seals} == pruebas.recompute_roots(
            session, [seal.hojas for seal in seals]
        )
        for older, newer in pairwise(seals):
            pruebas.consistency(session, older, newer)


def test_a_head_that_is_being_written_waits_for_the_next_seal(postgres_url: str) -> None:
    """On PostgreSQL a sealer neither waits for the lock of a head nor takes its mark off; on SQLite a writer is alone."""
    db = Database(postgres_url)
    first, second = _invoices(db, 2)
    with db.write() as busy:
        row = busy.scalars(select(ChainHead).where(ChainHead.case_key == first).with_for_update()).one()
        seal = sellos.seal(db, clock=CLOCK)
        assert seal is not None
        assert seal.hojas == 2, "its present link is sealed"
        row.seq, row.hash, row.pendiente = 2, "d" * 64, True
    with db.read() as session:
        assert [one.case_key for one in session.scalars(select(ChainHead).where(ChainHead.pendiente))] == [first]
    again = sellos.seal(db, clock=CLOCK)
    assert again is not None
    with db.read() as session:
        assert _leaves(session)[2:] == [(2, first, 2)]
        assert second in {name for _, name, _ in _leaves(session)}
    db.dispose()


def test_manifests_are_leaves_too(db: Database) -> None:
    _invoices(db, 1)
    with db.write() as session:
        row = sellos.add_manifest(session, expediente="expediente:3", seq=1, sha256="e" * 64, at=NOW)
        assert (row.indice, row.tipo) == (0, TipoHoja.MANIFIESTO)
        assert sellos.unsealed(session) == 2, "the leaf and the invoice's chain"
        again = sellos.add_manifest(session, expediente="expediente:3", seq=1, sha256="e" * 64, at=NOW)
        assert again.indice == 0
        with pytest.raises(BadInput, match="otro contenido"):
            sellos.add_manifest(session, expediente="expediente:3", seq=1, sha256="f" * 64, at=NOW)
        with pytest.raises(NotFound, match="no está sellado"):
            pruebas.proof_of(session, row)
    seal = sellos.seal(db, clock=CLOCK)
    with db.read() as session:
        proof = pruebas.proof_of(session, session.get_one(Hoja, 0))
        assert seal is not None
        assert proof.sello.id == seal.id
        told = proof.as_dict()
        assert told["hoja"]["nombre"] == "expediente:3"
        assert told["sello"]["linea"] == f"radica/1 2 {seal.raiz}\n"
        assert merkle.verify_inclusion(
            bytes.fromhex(told["hoja"]["hash_hoja"]),
            told["hoja"]["indice"],
            told["sello"]["hojas"],
            [bytes.fromhex(one) for one in told["camino"]],
            bytes.fromhex(told["sello"]["raiz"]),
        )


def test_a_clock_set_back_seals_and_says_so(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    _invoices(db, 1)
    first = sellos.seal(db, clock=CLOCK)
    _invoices(db, 1)
    with caplog.at_level(logging.WARNING, logger="radica.sellos"):
        second = sellos.seal(db, clock=fixed_clock(NOW - timedelta(days=2)))
    assert first is not None
    assert second is not None
    assert second.hojas > first.hojas
    assert sellos.clock_went_back(first, second)
    third_at = Sello(creado_at=NOW, recorded_at=second.recorded_at)
    assert not sellos.clock_went_back(second, third_at)
    assert "el reloj está antes" in caplog.text


def test_what_was_changed_by_hand_is_found(db: Database, database_url: str) -> None:
    _heads(db, 600)
    seal = sellos.seal(db, clock=CLOCK)
    assert seal is not None
    _without_triggers(db, "hojas")
    with db.write() as session:
        session.execute(update(Hoja).where(Hoja.indice == 5).values(hash="f" * 64))
        row = session.get_one(Hoja, 300)
        forged = merkle.leaf_hash(leaf_bytes(row.tipo, row.nombre, row.seq, "0" * 64)).hex()
        session.execute(update(Hoja).where(Hoja.indice == 300).values(hash="0" * 64, hoja=forged))
    with db.read() as session:
        assert list(pruebas.altered_leaves(session)) == [5]
        assert list(pruebas.altered_tiles(session)) == [(0, 1)], "the leaf was hashed again, its tile was not"
        assert pruebas.recompute_root(session, seal.hojas) != bytes.fromhex(seal.raiz)
        with pytest.raises(Unavailable, match="alguien cambió"):
            pruebas.proof_of(session, session.get_one(Hoja, 5))
    with db.write() as session:
        session.execute(text("DELETE FROM hojas WHERE indice = 10"))
    with db.read() as session:
        assert pruebas.recompute_root(session, seal.hojas) is None


def _without_triggers(db: Database, table: str) -> None:
    with db.write() as session:
        if db.is_sqlite:
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
        else:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))


ADDED_ONLY = {
    "transitions": "reason = 'otra'",
    "access_log": "purpose = 'otro'",
    "hojas": "seq = 9",
    "mosaicos": "nivel = 9",
    "sellos": "hojas = 9",
    "tokens_tiempo": "tsa = 'otra'",
    "fallos_tsa": "motivo = 'otro'",
    "publicaciones_sello": "destino = 'otro'",
}


@pytest.mark.parametrize("table", ADDED_ONLY)
def test_history_and_seals_are_only_added_to(db: Database, table: str) -> None:
    _heads(db, 300)
    _invoices(db, 1)
    with db.write() as session:
        record_reading(session, prestador_id=1, actor="x", action="ver", purpose="auditoria", object_="blob:1", at=NOW)
        assert sellos.seal_heads(session, at=NOW) is not None
        session.execute(text(
            "INSERT INTO tokens_tiempo (sello_id, tsa, token, cadena, hora, serie, acreditada, recibido_at) "
            "SELECT id, 'una', raiz_bytes, '', creado_at, '1', acreditada, creado_at FROM "
            "(SELECT id, creado_at, CAST('x' AS " + ("BLOB" if db.is_sqlite else "bytea") + ") AS raiz_bytes, "
            + ("0" if db.is_sqlite else "false") + " AS acreditada FROM sellos) AS s"
        ))  # fmt: skip
        session.execute(
            text("INSERT INTO fallos_tsa (sello_id, tsa, motivo, at) SELECT id, 'una', 'x', creado_at FROM sellos")
        )
        session.execute(
            text("INSERT INTO publicaciones_sello (sello_id, destino, at) SELECT id, 'archivo', creado_at FROM sellos")
        )
    with db.read() as session:
        before = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        assert before >= 1, "an empty table refuses nothing"
    orders = [f"UPDATE {table} SET {ADDED_ONLY[table]}", f"DELETE FROM {table}"]
    orders += [] if db.is_sqlite else [f"TRUNCATE {table} CASCADE"]
    for order in orders:
        with pytest.raises(DBAPIError, match="solo admite filas nuevas"), db.write() as session:
            session.execute(text(order))
    with db.read() as session:
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == before
