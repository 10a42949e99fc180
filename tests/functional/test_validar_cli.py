"""`radica validar` as a person runs it: each kind of file, crosses, what cannot be read, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

TIPOS = {
    "xml_fev": "fev",
    "xml_appresponse": "application_response",
    "xml_invoice": "factura",
    "xml_creditnote": "nota_credito",
    "xml_debitnote": "nota_debito",
    "rips": "rips",
    "muv_request": "muv_request",
    "cuv": "cuv",
}
CLAVES = ["ruta", "tipo", "estado", "factura", "cuv", "firma", "hallazgos"]
DE_FACTURA = [
    "numero", "cufe", "nit_emisor", "nit_adquiriente", "fecha_expedicion", "valor_bruto", "valor_anticipos",
    "valor_pagar", "tipo_operacion", "ambiente",
]  # fmt: skip


def radica(folder: Path, *words: str, code: int | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "radica.app.cli", "--datos", str(folder / "var"), "validar", *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def judged(folder: Path, *words: str, code: int | None = None) -> list[dict[str, Any]]:
    _, out, _ = radica(folder, *words, "--json", code=code)
    document = json.loads(out)
    assert list(document) == ["version", "resultados"]
    assert document["version"] == 1
    found: list[dict[str, Any]] = document["resultados"]
    return found


def test_the_whole_folder_of_real_documents(tmp_path: Path, muestras: Path) -> None:
    index = (muestras / "INDICE.csv").read_text("utf-8").splitlines()[1:]
    kinds = {line.split(",")[0]: TIPOS[line.split(",")[2]] for line in index}
    given = [str(muestras / name) for name in kinds]
    results = judged(tmp_path, *given, code=1)
    assert [one["ruta"] for one in results] == given
    assert [one["tipo"] for one in results] == list(kinds.values())
    for one in results:
        assert list(one) == CLAVES
        assert list(one["factura"]) == DE_FACTURA
        assert one["estado"] in ("valido", "con_hallazgos")
        for finding in one["hallazgos"]:
            assert list(finding) == ["codigo", "severidad", "ruta", "mensaje", "arreglo"]
            assert finding["severidad"] in ("rechazo", "notificacion", "aviso", "no_decidible")
            assert finding["mensaje"].endswith(".")
            assert "{" not in finding["mensaje"] + finding["arreglo"]
    by_name = {one["ruta"].rpartition("/")[2]: one for one in results}
    fev = by_name["caso03_fev_attached.xml"]
    assert fev["factura"] == {
        "numero": "CN311708",
        "cufe": fev["factura"]["cufe"],
        "nit_emisor": "890399020",
        "nit_adquiriente": fev["factura"]["nit_adquiriente"],
        "fecha_expedicion": fev["factura"]["fecha_expedicion"],
        "valor_bruto": fev["factura"]["valor_bruto"],
        "valor_anticipos": fev["factura"]["valor_anticipos"],
        "valor_pagar": fev["factura"]["valor_pagar"],
        "tipo_operacion": "SS-SinAporte",
        "ambiente": "1",
    }
    assert re.fullmatch(r"[0-9a-f]{96}", fev["factura"]["cufe"])
    assert re.fullmatch(r"\d+\.\d\d", fev["factura"]["valor_pagar"])
    assert fev["cuv"]["aceptado"] is True
    assert by_name["caso11_fev_attached.xml"]["firma"] == dict.fromkeys(
        ("AttachedDocument", "Invoice", "ApplicationResponse"), "valida"
    )
    assert not (tmp_path / "var").exists(), "it must leave nothing behind"


def test_a_folder_and_a_zip_give_what_the_loose_files_give(tmp_path: Path, muestras: Path) -> None:
    names = ("caso07_fev_attached.xml", "caso07_rips.json", "caso07_ResultadosMSPS_cuv_adaptado.json")
    folder = tmp_path / "caso"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "caso.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in sorted(names):
            (folder / name).write_bytes((muestras / name).read_bytes())
            bundle.write(muestras / name, name)
    loose = judged(tmp_path, *(str(folder / name) for name in sorted(names)), "-j", "1")
    whole = judged(tmp_path, str(folder))
    packed = judged(tmp_path, str(tmp_path / "caso.zip"), "-j", "2")
    assert [one["ruta"] for one in packed] == [f"{tmp_path}/caso.zip/{name}" for name in sorted(names)]
    for one in [*loose, *whole, *packed]:
        one["ruta"] = one["ruta"].rpartition("/")[2]
    assert loose == whole == packed


def test_what_cannot_be_had_does_not_stop_the_rest(tmp_path: Path, muestras: Path) -> None:
    good = muestras / "caso16_rips_sin_factura_RS.json"
    (tmp_path / "roto.zip").write_bytes(b"PK\x03\x04roto")
    (tmp_path / "vacia").mkdir()
    (tmp_path / "con_enlace").mkdir()
    link = tmp_path / "con_enlace" / "enlace.xml"
    link.symlink_to(muestras / "caso03_fev_attached.xml")
    results = judged(
        tmp_path, str(tmp_path / "no-existe.xml"), str(good), str(tmp_path / "roto.zip"),
        str(link.parent), str(tmp_path / "vacia"), code=2,
    )  # fmt: skip
    assert [(one["tipo"], one["estado"]) for one in results] == [
        ("desconocido", "ilegible"),
        ("rips", "valido"),
        ("desconocido", "ilegible"),
        ("desconocido", "ilegible"),
    ]
    said = [one["hallazgos"][0]["mensaje"] for one in results if one["estado"] == "ilegible"]
    assert ["No existe" in said[0], "ZIP" in said[1], "enlace" in said[2]] == [True, True, True]


def test_a_link_that_is_named_is_the_file_it_points_to(tmp_path: Path, muestras: Path) -> None:
    (tmp_path / "f.json").symlink_to(muestras / "caso16_rips_sin_factura_RS.json")
    (tmp_path / "vuelta").symlink_to(tmp_path / "vuelta")
    (good,) = judged(tmp_path, str(tmp_path / "f.json"), code=0)
    assert (good["ruta"], good["tipo"], good["estado"]) == (str(tmp_path / "f.json"), "rips", "valido")
    (loop,) = judged(tmp_path, str(tmp_path / "vuelta"), code=2)
    assert loop["estado"] == "ilegible"


def test_a_terminal_of_another_encoding_is_written_to(tmp_path: Path) -> None:
    path = str(tmp_path / "nota.txt")
    Path(path).write_text("hola")
    words, document = (
        subprocess.run(
            [sys.executable, "-m", "radica.app.cli", "--datos", str(tmp_path / "var"), "validar", path, *more],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            timeout=240,
            check=False,
        )
        for more in ([], ["--json"])
    )
    assert words.returncode == document.returncode == 2
    assert b"Traceback" not in words.stderr + document.stderr
    assert words.stdout.isascii()
    assert b"\\xf3" in words.stdout
    assert "facturación" in json.loads(document.stdout.decode("utf-8"))["resultados"][0]["hallazgos"][0]["mensaje"]


def test_nothing_to_judge_is_not_a_good_end(tmp_path: Path) -> None:
    (tmp_path / "vacia").mkdir()
    _, out, error = radica(tmp_path, str(tmp_path / "vacia"), "--json", code=2)
    assert json.loads(out)["resultados"] == []
    assert "ningún archivo" in error


def test_a_hostile_name_does_not_reach_the_terminal(tmp_path: Path, muestras: Path) -> None:
    data = (muestras / "caso16_rips_sin_factura_RS.json").read_bytes()
    (tmp_path / "a\x1b[2J\nb.json").write_bytes(data)
    _, out, _ = radica(tmp_path, str(tmp_path / "a\x1b[2J\nb.json"), code=0)
    assert "a?[2J?b.json: RIPS, válido" in out
    assert "\x1b" not in out


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "f.xml"
    secret.write_bytes(b"<Invoice/>")
    secret.chmod(0)
    (result,) = judged(tmp_path, str(secret), code=2)
    assert "permiso" in result["hallazgos"][0]["mensaje"]


@pytest.mark.parametrize(
    "words",
    [
        ["--fecha", "2026-02-30"],
        ["--fecha", "ayer"],
        ["-j", "0"],
        ["--catalogos", "/no/existe"],
        ["--desconocida"],
        ["-j", "muchos"],
    ],
)
def test_what_is_asked_wrongly_is_refused_in_words(tmp_path: Path, muestras: Path, words: list[str]) -> None:
    good = str(muestras / "caso16_rips_sin_factura_RS.json")
    _, out, error = radica(tmp_path, good, *words, code=2)
    assert out == ""
    assert error.strip()
    _, out, _ = radica(tmp_path, good, *words, "--json", code=2)
    assert list(json.loads(out)) == ["error"]


def test_a_person_reads_words_and_the_end_code_says_the_worst(tmp_path: Path, muestras: Path) -> None:
    _, out, _ = radica(tmp_path, str(muestras / "caso16_rips_sin_factura_RS.json"), code=0)
    assert "RIPS, válido" in out
    assert "1 archivo: 1 válido, 0 con hallazgos" in out
    _, out, _ = radica(tmp_path, str(muestras / "caso15_rips_capita_final.json"), code=1)
    assert "RECHAZO " in out
    assert "con hallazgos" in out


def test_a_person_is_told_each_rule_once(tmp_path: Path, muestras: Path) -> None:
    path = str(muestras / "caso33_rips_farmacia.json")
    _, out, _ = radica(tmp_path, path)
    lines = [line.split()[1].rstrip(":") for line in out.splitlines() if line.startswith("  ") and "…" not in line]
    assert len(lines) == len(set(lines)) > 2
    (result,) = judged(tmp_path, path)
    first = next(one for one in result["hallazgos"] if one["severidad"] != "no_decidible")
    alike = sum(one["codigo"] == first["codigo"] for one in result["hallazgos"]) - 1
    assert f"(y {alike:,} veces más la misma regla)".replace(",", ".") in out


def test_the_date_chooses_the_rules(tmp_path: Path, muestras: Path) -> None:
    path = str(muestras / "caso70_rips.json")
    old, new = (judged(tmp_path, path, "--fecha", day)[0]["hallazgos"] for day in ("2025-02-20", "2026-09-01"))
    assert {(one["codigo"], one["severidad"]) for one in old} != {(one["codigo"], one["severidad"]) for one in new}


def test_catalogues_turn_what_cannot_be_decided_into_a_verdict(
    tmp_path: Path, muestras: Path, referencia: Path
) -> None:
    folder = tmp_path / "catalogos"
    folder.mkdir()
    (folder / "cups.csv").write_bytes((referencia / "cupsrips_sispro_2025-05.csv").read_bytes())
    (folder / "cie10.csv").write_bytes((referencia / "cie10_sispro.csv").read_bytes())
    path = str(muestras / "caso70_rips.json")
    bare, known = (
        {one["codigo"] for one in judged(tmp_path, path, *more)[0]["hallazgos"] if one["severidad"] == "no_decidible"}
        for more in ([], ["--catalogos", str(folder)])
    )
    assert known < bare
