"""A verification finds nothing where nothing was touched, and names what was: bytes, rows, links, heads, leaves, roots.

Each change is made past the triggers, as who holds the database could make it, and the finding must name its object.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from radica.custodia.check_models import EstadoVerificacion
from radica.facturas.models import Factura
from tests.plugins.custody import Custody

Tamper = Callable[[Custody], str]
"""Does harm, and returns the finding that must name it: `tipo objeto`."""


def test_what_nobody_touched_is_clean_and_everything_was_looked_at(custody: Custody) -> None:
    ended, found = custody.verify()
    assert found == []
    assert ended.estado is EstadoVerificacion.TERMINADA
    assert ended.limpia
    counts = ended.cuentas
    assert (counts["blobs"], counts["cadenas"], counts["eslabones"]) == (3, 4, 7)
    assert (counts["hojas"], counts["sellos"], counts["direcciones"]) == (4, 1, 3)
    assert ended.bytes == sum(len(f"prueba {number}".encode() * 500) for number in range(3))


# --- The database, edited by hand with the triggers off -------------------------------------------------------------


def changed_state(house: Custody) -> str:
    assert house.by_hand("UPDATE facturas SET estado = 'lista' WHERE id = ?", house.facturas[0])
    return f"alterado factura:{house.facturas[0]}"


def changed_note(house: Custody) -> str:
    key = f"factura:{house.facturas[1]}"
    assert house.by_hand("UPDATE transitions SET note = 'otra' WHERE case_key = ? AND seq = 2", key)
    return f"alterado {key}#2"


def unreadable_facts(house: Custody) -> str:
    key = f"factura:{house.facturas[1]}"
    assert house.by_hand("UPDATE transitions SET facts = '{no' WHERE case_key = ? AND seq = 1", key)
    return f"alterado {key}#1"


def deleted_first_link(house: Custody) -> str:
    key = f"factura:{house.facturas[2]}"
    assert house.by_hand("DELETE FROM transitions WHERE case_key = ? AND seq = 1", key)
    return f"cadena_rota {key}#2"


def deleted_last_link(house: Custody) -> str:
    key = f"factura:{house.facturas[2]}"
    assert house.by_hand("DELETE FROM transitions WHERE case_key = ? AND seq = 2", key)
    return f"cadena_rota {key}"


def rolled_back(house: Custody) -> str:
    """Last link gone, head, state and version set back: only the sealed leaf knows."""
    number = house.facturas[0]
    key = f"factura:{number}"
    assert house.by_hand("DELETE FROM transitions WHERE case_key = ? AND seq = 2", key)
    first = "(SELECT hash FROM transitions WHERE case_key = ? AND seq = 1)"
    assert house.by_hand(f"UPDATE chain_heads SET seq = 1, hash = {first} WHERE case_key = ?", key, key)
    assert house.by_hand("UPDATE facturas SET estado = 'lista', version = 0 WHERE id = ?", number)
    return f"faltante {key}#2"


def erased_whole(house: Custody) -> str:
    """The invoice with its history and its head: only the sealed leaf knows."""
    number = house.facturas[0]
    key = f"factura:{number}"
    for statement in ("DELETE FROM transitions WHERE case_key = ?", "DELETE FROM chain_heads WHERE case_key = ?"):
        assert house.by_hand(statement, key)
    assert house.by_hand("DELETE FROM piezas WHERE case_key = ?", key)
    assert house.by_hand("DELETE FROM facturas WHERE id = ?", number)
    return f"faltante {key}#2"


def deleted_thing(house: Custody) -> str:
    assert house.by_hand("DELETE FROM facturas WHERE id = ?", house.facturas[0])
    return f"faltante factura:{house.facturas[0]}"


def thing_without_history(house: Custody) -> str:
    other = {"id": "1000", "numero": "'X1'", "numero_clave": "'X1'", "numero_digitos": "'1'", "cufe": "NULL"}
    names = [column.name for column in Factura.__table__.columns]
    copied = ", ".join(other.get(name, name) for name in names)
    statement = f"INSERT INTO facturas ({', '.join(names)}) SELECT {copied} FROM facturas WHERE id = ?"
    assert house.by_hand(statement, house.facturas[0])
    return "cadena_rota factura:1000"


def changed_reading(house: Custody) -> str:
    assert house.by_hand("UPDATE access_log SET actor = 'otro' WHERE prestador_id = ?", house.prestador)
    return f"alterado lecturas:{house.prestador}#1"


def deleted_reading(house: Custody) -> str:
    assert house.by_hand("DELETE FROM access_log WHERE prestador_id = ?", house.prestador)
    return f"cadena_rota lecturas:{house.prestador}"


def piece_to_another_blob(house: Custody) -> str:
    key = f"factura:{house.facturas[0]}"
    assert house.by_hand("UPDATE piezas SET sha256 = ? WHERE case_key = ?", house.hashes[1], key)
    return f"alterado blob:{house.hashes[0]}"


def piece_to_nothing(house: Custody) -> str:
    key = f"factura:{house.facturas[0]}"
    assert house.by_hand("UPDATE piezas SET sha256 = ? WHERE case_key = ?", "f" * 64, key)
    return "faltante piezas:1"


def piece_of_another_size(house: Custody) -> str:
    assert house.by_hand("UPDATE piezas SET bytes = 7 WHERE sha256 = ?", house.hashes[0])
    return "alterado piezas:1"


def blob_row_of_another_size(house: Custody) -> str:
    assert house.by_hand("UPDATE blobs SET bytes = 7 WHERE sha256 = ?", house.hashes[0])
    return f"alterado blob:{house.hashes[0]}"


def deleted_blob_row(house: Custody) -> str:
    assert house.by_hand("DELETE FROM blobs WHERE sha256 = ?", house.hashes[0])
    return f"faltante blob:{house.hashes[0]}"


def changed_leaf(house: Custody) -> str:
    assert house.by_hand("UPDATE hojas SET hash = ? WHERE indice = 1", "e" * 64)
    return "alterado hoja:1"


def changed_leaf_hash(house: Custody) -> str:
    assert house.by_hand("UPDATE hojas SET hoja = ? WHERE indice = 1", "e" * 64)
    return "sello_invalido sello:1"


def deleted_leaf(house: Custody) -> str:
    assert house.by_hand("DELETE FROM hojas WHERE indice = 2")
    return "faltante hoja:3"


def changed_root(house: Custody) -> str:
    assert house.by_hand("UPDATE sellos SET raiz = ?", "e" * 64)
    return "sello_invalido sello:1"


# --- The store ---------------------------------------------------------------------------------------------------------


def flipped_byte(house: Custody) -> str:
    path = house.store.sealed_path(house.hashes[0])
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    return f"alterado blob:{house.hashes[0]}"


def cut_file(house: Custody) -> str:
    path = house.store.sealed_path(house.hashes[0])
    path.chmod(0o600)
    os.truncate(path, 100)
    return f"alterado blob:{house.hashes[0]}"


def swapped_files(house: Custody) -> str:
    first, second = (house.store.sealed_path(one) for one in house.hashes[:2])
    one, other = first.read_bytes(), second.read_bytes()
    for path, data in ((first, other), (second, one)):
        path.chmod(0o600)
        path.write_bytes(data)
    return f"alterado blob:{house.hashes[1]}"


def deleted_file(house: Custody) -> str:
    house.store.sealed_path(house.hashes[0]).unlink()
    return f"faltante blob:{house.hashes[0]}"


TAMPERINGS = [
    changed_state, changed_note, unreadable_facts, deleted_first_link, deleted_last_link, rolled_back, erased_whole,
    deleted_thing, thing_without_history, changed_reading, deleted_reading, piece_to_another_blob, piece_to_nothing,
    piece_of_another_size, blob_row_of_another_size, deleted_blob_row, changed_leaf, changed_leaf_hash, deleted_leaf,
    changed_root, flipped_byte, cut_file, swapped_files, deleted_file,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda one: one.__name__)
def test_each_tampering_is_named(custody: Custody, tamper: Tamper) -> None:
    expected = tamper(custody)
    ended, found = custody.verify()
    assert expected in {f"{tipo} {objeto}" for tipo, gravedad, objeto in found if gravedad == "grave"}
    assert not ended.limpia
