"""The blind index on both databases: all the words, one provider's alone, once per blob."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.paginas.auditoria_consultas import search
from radica.custodia.models import Blob
from radica.custodia.text_models import PalabraTexto
from radica.custodia.texto import Leido, find_blobs, key_fits, provider_key, record_text
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.kernel.db import Database
from tests import factories, glosas_seed
from tests.factories import NOW

MASTER = b"k" * 32


def put(session: Session, provider: int, name: str, words: set[str]) -> str:
    sha = hashlib.sha256(name.encode()).hexdigest()
    if session.get(Blob, sha) is None:
        session.add(Blob(sha256=sha, bytes=1, stored_at=NOW))
        session.flush()
    record_text(
        session,
        prestador_id=provider,
        sha256=sha,
        read=Leido("indexado", frozenset(words)),
        key=provider_key(MASTER, provider),
        at=NOW,
    )
    return sha


def test_a_document_is_found_by_all_its_words_and_only_by_its_provider(db: Database) -> None:
    with db.write() as session:
        one, other = factories.prestador(session).id, factories.prestador(session).id
        both = put(session, one, "a", {"agata", "nunez", "epicrisis"})
        only = put(session, one, "b", {"agata", "epicrisis"})
        theirs = put(session, other, "c", {"agata", "nunez"})
        shared = put(session, other, "a", {"agata", "nunez", "epicrisis"})
    keys = {number: provider_key(MASTER, number) for number in (one, other)}
    with db.read() as session:
        assert find_blobs(session, ["agata", "nunez"], keys={one: keys[one]}, limit=9) == [(one, both)]
        assert find_blobs(session, ["epicrisis"], keys={one: keys[one]}, limit=9) == [(one, only), (one, both)]
        assert find_blobs(session, ["epicrisis"], keys={one: keys[one]}, limit=1) == [(one, only)]
        assert find_blobs(session, ["nunez"], keys=keys, limit=9) == [(one, both), (other, shared), (other, theirs)]
        assert find_blobs(session, ["nunez", "otra"], keys=keys, limit=9) == []
        assert find_blobs(session, [], keys=keys, limit=9) == []
        wrong = {one: provider_key(b"x" * 32, one)}
        assert find_blobs(session, ["agata"], keys=wrong, limit=9) == []


def test_a_blob_is_read_once_per_provider(db: Database) -> None:
    with db.write() as session:
        one = factories.prestador(session).id
        put(session, one, "a", {"agata"})
        put(session, one, "a", {"agata", "nunez"})
        assert session.scalar(select(func.count()).select_from(PalabraTexto)) == 2  # the word and the witness


def test_another_key_is_noticed(db: Database) -> None:
    with db.write() as session:
        one = factories.prestador(session).id
        assert key_fits(session, one, provider_key(b"x" * 32, one))
        put(session, one, "a", {"agata"})
        assert key_fits(session, one, provider_key(MASTER, one))
        assert not key_fits(session, one, provider_key(b"x" * 32, one))


def test_the_box_asks_both_databases_alike(db: Database) -> None:
    with db.write() as session:
        filed = glosas_seed.filed_invoice(session, factories.prestador(session).id)
        line = glosas_seed.objected(session, filed)
        line.numero_glosa, line.paciente_documento = "GL-100%_1", "CC1098765432"
        sha = put(session, filed.prestador_id, "rips", {"1098765432", "epicrisis"})
        session.add(
            Documento(
                prestador_id=filed.prestador_id,
                factura_id=filed.id,
                sha256=sha,
                bytes=1,
                nombre="rips.json",
                tipo=TipoDocumento.RIPS,
                media_type="application/json",
                cargado_at=NOW,
                cargado_por="prueba",
            )
        )
        filed.cufe = "ab" * 48
        keys = {filed.prestador_id: provider_key(MASTER, filed.prestador_id)}
    with db.read() as session:
        row = session.get_one(Factura, filed.id)
        ids = [row.prestador_id]
        for typed, group in (
            (row.numero, "facturas"),
            (row.radicado or "", "facturas"),
            ("abababab", "facturas"),
            ("GL-100%_1", "glosas"),
            ("GL-100", "glosas"),
            (line.codigo, "codigos"),
            ("1.098.765.432", "paciente"),
            ("CC1098765432", "paciente"),
            (sha[:9], "huellas"),
            ("Epicrisis", "textos"),
        ):
            assert getattr(search(session, typed, ids, keys), group), typed
            assert search(session, typed, [], keys).nada, typed
        assert search(session, "GL_100", ids, keys).nada
        assert search(session, "%", ids, keys).nada
