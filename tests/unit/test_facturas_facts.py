"""What is kept of a document in the database: enough to judge it again, and nothing of a patient."""

from __future__ import annotations

import json
from pathlib import Path

from radica.facturas.checks import Hechos, check
from radica.facturas.cuv import CuvResult
from radica.facturas.facts import recall, remember, slim
from radica.facturas.fev import Fev, RespuestaDian
from radica.facturas.recognise import Pieza, recognise, recognise_path
from radica.facturas.rips import Rips
from radica.facturas.soportes import NombreSoporte

KINDS = {"fev": Fev, "rips": Rips, "cuv": CuvResult, "response": RespuestaDian, "soporte": NombreSoporte}


def pieces(muestras: Path) -> list[Pieza]:
    return [piece for path in sorted(muestras.glob("caso*")) for piece in recognise_path(path, path.name).pieces]


def test_every_real_document_comes_back_as_it_went(muestras: Path):
    found = pieces(muestras)
    assert len(found) > 51
    for piece in found:
        name, kind = next((n, k) for n, k in KINDS.items() if getattr(piece, n) is not None)
        kept = json.loads(json.dumps(remember(piece)))
        assert recall(kind, kept) == slim(getattr(piece, name))


def test_what_is_kept_gives_the_same_findings(muestras: Path):
    for case in ("caso01", "caso07", "caso10", "caso11", "caso13"):
        whole, kept = {}, {}
        for path in sorted(muestras.glob(f"{case}_*")):
            for piece in recognise_path(path, path.name).pieces:
                for name in ("fev", "rips", "cuv"):
                    if getattr(piece, name) is not None:
                        whole[name] = getattr(piece, name)
                        kept[name] = recall(KINDS[name], remember(piece))
        assert check(Hechos(**kept)) == check(Hechos(**whole)), case


def test_nothing_of_a_patient_is_kept(muestras: Path):
    request = (muestras / "caso05_muv_request.json").read_bytes()
    user = json.loads(request)["rips"]["usuarios"][0]["numDocumentoIdentificacion"]
    kept = json.dumps([remember(piece) for piece in recognise(request, "x").pieces], ensure_ascii=False)
    assert user not in kept
    assert "FICTICIA" not in kept
    name = "HEV_900123456_FE1234_CC52100200.pdf"
    (support,) = recognise(b"%PDF-1.4\nstartxref\n0\n%%EOF", name).pieces
    assert "52100200" not in json.dumps(remember(support))
