"""A small bag with two stamped heads, made without a database; and the attacker who recomputes everything."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding

from bots.simulador.tsa import State, answer_to
from bots.simulador.tsa_certs import load_or_make
from radica.audit import merkle
from radica.audit.chain import GENESIS, canonical, link_hash
from radica.prejuridico.bolsa import HISTORIA, Bag, BagFile, BagPlan, add_proofs, write_bag
from radica.prejuridico.pruebas import HojaProbada, Pruebas, SelloProbado, TokenProbado

CORTE = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
BEFORE = datetime(2026, 11, 20, 9, 0, 0, tzinfo=UTC)
ACUSE = b"%PDF-1.4 acuse de radicacion de prueba\n"
Leaf = tuple[str, str, int, str]  # tipo, nombre, seq, hash


def autoridad(folder: Path) -> State:
    """Make an authority of demonstration; its RSA key takes a moment."""
    return State(load_or_make(folder, NOW))


def token(state: State, line: bytes, at: datetime) -> TokenProbado:
    """Stamp a line."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(line).digest()}
    request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "cert_req": True})
    answer = tsp.TimeStampResp.load(answer_to(state, request.dump(), at))
    certificates = (state.authority.certificates["good"], state.authority.ca)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode()
    return TokenProbado("demo", bytes(answer["time_stamp_token"].dump()), chain, acreditada=False)


def links(case: str, count: int, evidence: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Write a chain as the house writes it."""
    kind, number = case.split(":")
    written: list[dict[str, Any]] = []
    for seq in range(1, count + 1):
        content = {
            "case": case, "seq": seq, "prestador": 1, "thing": kind, "thing_id": int(number), "event": "crear",
            "from": "", "to": f"estado{seq}", "actor": "ana", "at": f"2026-09-0{seq}T07:00:00.000000Z",
            "recorded_at": f"2026-09-0{seq}T07:00:00.123000Z", "reason": "prueba", "note": "Revisión «única»",
            "facts": {"valor": 12_345_600, "sí": True}, "evidence": list(evidence) if seq == count else [],
            "prev": written[-1]["hash"] if written else GENESIS,
        }  # fmt: skip
        written.append({**content, "hash": link_hash(content)})
    return written


def history(chains: dict[str, list[dict[str, Any]]]) -> bytes:
    """Write historia.json."""
    return json.dumps({"formato": "radica-historia/1", "cadenas": chains}, ensure_ascii=False, indent=1).encode()


def leaf_of(leaf: Leaf) -> bytes:
    """Return the hash of a leaf."""
    return merkle.leaf_hash(canonical(dict(zip(("tipo", "nombre", "seq", "hash"), leaf, strict=True))))


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root, by the recursive words of RFC 6962."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return merkle.node_hash(root_of(hashes[:half]), root_of(hashes[half:]))


def path_of(index: int, hashes: Sequence[bytes]) -> list[str]:
    """Return the audit path, by the recursive words of RFC 6962."""
    if len(hashes) == 1:
        return []
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if index < half:
        return [*path_of(index, hashes[:half]), root_of(hashes[half:]).hex()]
    return [*path_of(index - half, hashes[half:]), root_of(hashes[:half]).hex()]


def prove(leaves: Sequence[Leaf], sizes: Sequence[int], stamp: Callable[[bytes, int], TokenProbado]) -> Pruebas:
    """Prove every leaf that belongs to the bag (not `ajena`) under the first of the trees of these sizes."""
    hashes = [leaf_of(one) for one in leaves]
    seals = []
    for size in sorted(sizes, reverse=True):
        bare = SelloProbado(size, root_of(hashes[:size]).hex(), ())
        seals.append(replace(bare, tokens=(stamp(bare.linea, size),)))
    proved = []
    for index in range(len(leaves) - 1, -1, -1):
        size = min(one for one in sizes if one > index)
        if not leaves[index][1].startswith("ajena"):
            proved.append(HojaProbada(*leaves[index], index, size, tuple(path_of(index, hashes[:size]))))
    return Pruebas(tuple(proved), tuple(seals))


@dataclass
class Muestra:
    """A bag with what was sealed, so that an attacker may begin anew."""

    bag: Bag
    leaves: list[Leaf]
    sizes: list[int]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.bag.folder


def make(folder: Path, state: State) -> Muestra:
    """Make the bag: two chains, three documents, a head of five leaves and one of nine."""
    evidence = hashlib.sha256(ACUSE).hexdigest()
    chains = {"factura:1": links("factura:1", 3, [evidence, "ab" * 32]), "glosa:7": links("glosa:7", 2)}
    files = [
        BagFile("data/03_facturas/01Factura.xml", b"<Invoice>1</Invoice>"),
        BagFile("data/06_radicacion/01Acuse.pdf", ACUSE, sha256=evidence),
        BagFile(HISTORIA, history(chains)),
    ]
    bag = write_bag(folder, BagPlan(files, CORTE, {"Source-Organization": "IPS de prueba"}))
    others: list[Leaf] = [("cadena", f"ajena:{n}", 1, hashlib.sha256(bytes([n])).hexdigest()) for n in range(5)]
    leaves: list[Leaf] = [
        others[0], ("cadena", "factura:1", 2, chains["factura:1"][1]["hash"]), others[1], others[2],
        ("cadena", "glosa:7", 2, chains["glosa:7"][1]["hash"]), others[3],
        ("cadena", "factura:1", 3, chains["factura:1"][2]["hash"]), others[4],
        ("manifiesto", "expediente:3", 1, bag.manifiesto),
    ]  # fmt: skip
    sample = Muestra(bag, leaves, [5, 9])
    add_proofs(bag, prove(leaves, sample.sizes, lambda line, size: token(state, line, BEFORE if size == 5 else NOW)))
    return sample


def retag(folder: Path) -> None:
    """Recompute the tag manifests over whatever stands outside data/."""
    for algorithm in ("sha256", "sha512"):
        names = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and not path.relative_to(folder).as_posix().startswith(("data/", "tagmanifest-"))
        )
        lines = [f"{hashlib.new(algorithm, (folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
        (folder / f"tagmanifest-{algorithm}.txt").write_text("".join(lines))


def rebuild(sample: Muestra, stamp: Callable[[bytes, int], TokenProbado]) -> None:
    """Play the attacker: payload as it is now → manifests → leaf → tree → proofs, with the tokens of `stamp`."""
    folder = sample.folder
    payload = sorted(p.relative_to(folder).as_posix() for p in (folder / "data").rglob("*") if p.is_file())
    again = folder.with_name("otra")
    files = [BagFile(name, (folder / name).read_bytes()) for name in payload]
    bag = write_bag(again, BagPlan(files, CORTE, {"Source-Organization": "IPS de prueba"}))
    chains = json.loads((folder / HISTORIA).read_bytes())["cadenas"]
    leaves: list[Leaf] = [
        (tipo, nombre, seq, chains[nombre][seq - 1]["hash"] if nombre in chains and seq <= len(chains[nombre]) else old)
        for tipo, nombre, seq, old in sample.leaves
    ]
    leaves[-1] = ("manifiesto", "expediente:3", 1, bag.manifiesto)
    add_proofs(bag, prove(leaves, sample.sizes, stamp))
    shutil.rmtree(folder)
    again.rename(folder)


def rechain(chain: list[dict[str, Any]]) -> None:
    """Recompute every link's `seq`, `prev` and `hash` in place."""
    before = GENESIS
    for seq, link in enumerate(chain, 1):
        link["seq"], link["prev"] = seq, before
        link["hash"] = before = link_hash({key: value for key, value in link.items() if key != "hash"})
