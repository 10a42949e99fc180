"""A support in another invoice's place is seen when both invoices are judged together, by command and by page."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from reportlab.pdfgen import canvas

from radica.app.validar import soltados_hijo
from radica.app.validar.carpetas import validar
from radica.facturas.validacion.resultado import Encargo
from radica.facturas.validacion.tablas import VACIOS
from radica.kernel.clock import BOGOTA

NOW = datetime(2026, 7, 15, 8, tzinfo=BOGOTA)
PATIENTS = {"FE1001": "1098765432", "FE1002": "52123456"}
WRONG = "HEV_900123456_FE1001.pdf"


def batch(folder: Path) -> list[Path]:
    """Write two invoices' RIPS and one support, named for the first and of the second's patient."""
    for number, patient in PATIENTS.items():
        service = {"codConsulta": "890201", "vrServicio": 1000, "fechaInicioAtencion": "2026-07-01 08:00"}
        user = {
            "tipoDocumentoIdentificacion": "CC",
            "numDocumentoIdentificacion": patient,
            "servicios": {"consultas": [service]},
        }
        record = {"numDocumentoIdObligado": "900123456", "numFactura": number, "tipoNota": None, "usuarios": [user]}
        (folder / f"{number}.json").write_text(json.dumps(record), encoding="utf-8")
    raw = io.BytesIO()
    paper = canvas.Canvas(raw)
    paper.drawString(40, 700, f"Clínica de prueba. Paciente CC {PATIENTS['FE1002']}")
    paper.save()
    (folder / WRONG).write_bytes(raw.getvalue())
    return sorted(folder.iterdir())


def said_of(results: list[dict[str, Any]]) -> set[str]:
    (one,) = [one for one in results if one["ruta"].endswith(WRONG)]
    text = json.dumps(results, ensure_ascii=False)
    assert not any(patient in text for patient in PATIENTS.values())
    return {finding["codigo"] for finding in one["hallazgos"]}


def no_words(_: object) -> str:
    """Of the module, so that a process started anew finds it too."""
    return ""


def test_by_command(tmp_path: Path) -> None:
    given, scratch = tmp_path / "lote", tmp_path / "aparte"
    given.mkdir()
    scratch.mkdir()
    batch(given)
    errand = Encargo(NOW, VACIOS)
    balance = validar(
        [str(given)], errand, carpeta=scratch, procesos=2, palabras=no_words, avance=lambda *_: None,
        incidente=lambda _: "1",
    )  # fmt: skip
    with balance.sink:
        found = said_of([json.loads(text) for text in balance.texts(words=False)])
    assert "SOP-OTRO-PACIENTE" in found
    assert "SOP-AJENO" not in found


def test_by_page(tmp_path: Path) -> None:
    paths = batch(tmp_path)
    order = {
        "carpeta": str(tmp_path), "rutas": [str(one) for one in paths], "nombres": [one.name for one in paths],
        "ahora": NOW.isoformat(), "fecha": None, "catalogos": None,
    }  # fmt: skip
    assert "SOP-OTRO-PACIENTE" in said_of(soltados_hijo.judge(order, b"")["resultados"])
