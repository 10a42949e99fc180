"""`radica custodia verificar-expediente`: runs the published verifier over a bag, as a folder or as a ZIP.

Invariant: the program that judges is the one installed here, byte for byte the one that is published and that every
bag carries; nothing of the bag is run, nothing in it is changed, and neither database nor network is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from radica.app.cli.parse import DONE, FINDINGS, UsageProblem, leaf
from radica.kernel.config import Settings
from radica.kernel.errors import NotFound
from radica.prejuridico.bolsa import VERIFIER
from radica.prejuridico.bolsa_zip import unpack_bag
from radica.prejuridico.verificador import verificar

_USAGE = "Uso: radica custodia verificar-expediente CARPETA|ZIP [--ancla HUELLA] [--json]"


def configure(verbs: Any) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("verificar-expediente", help="comprueba un expediente exportado, sin conexión")
    parser.add_argument("expediente", nargs="?", type=Path, metavar="CARPETA|ZIP")
    parser.add_argument(
        "--ancla", action="append", default=[], metavar="HUELLA",
        help="SHA-256 de la raíz de la autoridad de tiempo que se espera; se repite",
    )  # fmt: skip
    parser.add_argument("--huella", action="store_true", help="dice la SHA-256 del verificador instalado y termina")
    leaf(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, _settings: Settings) -> int:
    if options.huella:
        print(json.dumps({"verificar.py": _fingerprint()}) if options.json else f"{_fingerprint()}  verificar.py")
        return DONE
    if options.expediente is None:
        raise UsageProblem("Falta indicar: CARPETA|ZIP.", _USAGE)
    anchors = tuple(_anchor(one) for one in options.ancla)
    if not options.expediente.exists():
        raise NotFound(f"No existe {options.expediente}.", todo="Indique la carpeta o el ZIP del expediente.")
    if options.expediente.is_dir():
        return _judge(options.expediente, anchors, as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="radica-expediente-") as place:
        return _judge(unpack_bag(options.expediente, Path(place)), anchors, as_json=options.json)


def _judge(folder: Path, anchors: tuple[str, ...], *, as_json: bool) -> int:
    report = verificar.verificar(folder, anchors)
    if as_json:
        body = {**vars(report), "carpeta": folder.name, "veredicto": report.veredicto(), "verificador": _fingerprint()}
        sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
    else:
        verificar.mostrar(report)
        print(f"Verificador: el instalado, SHA-256 {_fingerprint()}; {_compared(report)}.")
    return DONE if report.veredicto() == verificar.VALIDA else FINDINGS


def _compared(report: verificar.Informe) -> str:
    inside = report.archivos.get("verificar.py", {}).get("sha256")
    return "el de la bolsa es el mismo" if inside == _fingerprint() else "el de la bolsa es de otra edición, o cambió"


def _fingerprint() -> str:
    return hashlib.sha256(VERIFIER.read_bytes()).hexdigest()


def _anchor(text: str) -> str:
    plain = re.sub("[: ]", "", text).lower()
    if not re.fullmatch("[0-9a-f]{64}", plain):
        raise UsageProblem("--ancla: una huella SHA-256 son 64 cifras hexadecimales.", _USAGE)
    return plain
