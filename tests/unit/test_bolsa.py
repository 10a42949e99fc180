"""Bags: valid for `bagit`, the same bytes from the same plan, names that every system keeps; ZIPs opened safely."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import bagit
import pytest

from bots.simulador.tsa import State
from radica.app.cli.program import main
from radica.kernel.errors import BadInput, Unavailable
from radica.prejuridico import bolsa_zip
from radica.prejuridico.bolsa import (
    HISTORIA,
    LEEME,
    SEALED,
    VERIFIER,
    BagFile,
    BagPlan,
    add_proofs,
    check_names,
    write_bag,
    zip_bag,
)
from radica.prejuridico.bolsa_zip import unpack_bag
from radica.prejuridico.pruebas import Pruebas
from radica.prejuridico.verificador.verificar import VALIDA, verificar
from tests import bolsa_muestra as muestra
from tests.bolsa_muestra import CORTE, Muestra


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    return muestra.autoridad(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def sample(tmp_path: Path, state: State) -> Muestra:
    return muestra.make(tmp_path / "expediente-3", state)


def contents(folder: Path) -> dict[str, tuple[str, float, int]]:
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.stat().st_mtime,
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in folder.rglob("*")
    }


def plan(*files: BagFile, **info: str) -> BagPlan:
    return BagPlan(files or (BagFile("data/a.txt", b"a"),), CORTE, info)


def test_bagit_finds_the_bag_valid(sample: Muestra) -> None:
    bag = bagit.Bag(str(sample.folder))
    bag.validate()
    assert set(bag.algorithms) == {"sha256", "sha512"}
    assert bag.info["Bagging-Date"] == "2026-11-20"
    assert bag.info["Source-Organization"] == "IPS de prueba"
    assert bag.info["Payload-Oxum"] == f"{sample.bag.bytes}.{sample.bag.files}"
    assert sorted(bag.payload_files()) == sorted(
        ["data/03_facturas/01Factura.xml", "data/06_radicacion/01Acuse.pdf", HISTORIA]
    )


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [BagFile(f"data/c{n}/d{n}.txt", str(n).encode()) for n in range(12)]
    first = write_bag(tmp_path / "uno" / "x", BagPlan(files, CORTE))
    second = write_bag(tmp_path / "dos" / "x", BagPlan(list(reversed(files)), CORTE))
    assert contents(first.folder) == contents(second.folder)
    assert first.manifiesto == second.manifiesto
    one = zip_bag(first.folder, tmp_path / "uno.zip", fecha=CORTE)
    assert one.read_bytes() == zip_bag(second.folder, tmp_path / "dos.zip", fecha=CORTE).read_bytes()
    assert one.read_bytes() != zip_bag(second.folder, tmp_path / "3.zip", fecha=date(2026, 11, 21)).read_bytes()


def test_the_leaf_is_what_sha256sum_says_of_the_sealed_files(sample: Muestra) -> None:
    lines = subprocess.run(["sha256sum", *SEALED], cwd=sample.folder, capture_output=True, check=True).stdout
    assert hashlib.sha256(lines).hexdigest() == sample.bag.manifiesto


def test_a_bag_carries_the_published_verifier_and_leeme(sample: Muestra) -> None:
    assert (sample.folder / "verificar.py").read_bytes() == VERIFIER.read_bytes()
    assert (sample.folder / "LEEME.txt").read_bytes() == LEEME.read_bytes()


def test_the_commands_of_the_leeme_work(sample: Muestra) -> None:
    """Each command is run as it is written, and says what the text says that it says."""
    text = LEEME.read_text(encoding="utf-8")
    commands = [line.removeprefix("    $ ") for line in text.splitlines() if line.startswith("    $ ")]
    said = {}
    for command in commands:
        done = subprocess.run(
            ["bash", "-ec", f"set -o pipefail; {command}"],
            cwd=sample.folder, capture_output=True, encoding="utf-8", check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        said[command] = done.stdout.strip()
    answers = list(said.values())
    assert answers[0].splitlines()[0].startswith("VEREDICTO: VÁLIDA")
    assert answers[1:4] == ["", "", ""]
    assert answers[4] == answers[5] == "3"
    assert answers[6] == f"{sample.bag.manifiesto}  -"
    assert answers[7] == "Verification: OK"
    assert "Time stamp: Nov 20 15:04:05 2026 GMT" in answers[8]
    assert answers[9].split()[0] == hashlib.sha256(VERIFIER.read_bytes()).hexdigest()
    fingerprint = answers[10].split("=")[1].replace(":", "").lower()
    assert fingerprint == verificar(sample.folder).sellos[0]["tokens"][0]["raiz_sha256"]
    assert len(answers) == 11


def test_by_hand_a_change_shows_too(sample: Muestra) -> None:
    (sample.folder / "data/03_facturas/01Factura.xml").write_bytes(b"<Invoice>2</Invoice>")
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "manifest-sha256.txt"], cwd=sample.folder, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"01Factura.xml" in done.stdout


@pytest.mark.parametrize(
    "path",
    ["a.txt", "data", "data/", "data//a", "/data/a", "data/../a", "data/./a", "data/.oculto", "data/a b", "data/ñ",
     "data/CON", "data/nul.txt", "data/Com1.pdf", "data/a.", "data/a\\b", "data/a:b", "data/a%0Ab", "data/a\nb",
     "data/" + "a" * 200, "data/-a"],
)  # fmt: skip
def test_a_name_that_some_system_would_change_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        write_bag(tmp_path / "x", plan(BagFile(path, b"")))
    assert not (tmp_path / "x").exists()


def test_names_that_only_begin_like_a_device_are_kept() -> None:
    check_names(["data/consulta.pdf", "data/Auxilio.pdf", "data/nulo", "data/_x", "data/1.txt"])


def test_two_names_that_differ_in_capitals_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        check_names(["data/a.txt", "data/A.txt"])


@pytest.mark.parametrize(("label", "value"), [("X", "a\nb"), ("a b", "x"), ("Payload-Oxum", "1.1"), ("X", "")])
def test_a_field_that_would_be_another_is_refused(tmp_path: Path, label: str, value: str) -> None:
    with pytest.raises(ValueError, match="no field"):
        write_bag(tmp_path / "x", BagPlan([], CORTE, {label: value}))


def test_a_document_that_is_not_what_its_hash_says_makes_no_bag(tmp_path: Path) -> None:
    good = BagFile("data/a.txt", b"a", sha256=hashlib.sha256(b"a").hexdigest())
    bad = BagFile("data/b.txt", lambda: io.BytesIO(b"b"), sha256="ab" * 32)
    with pytest.raises(Unavailable, match="no es el que entró a custodia"):
        write_bag(tmp_path / "x", plan(good, bad))
    assert not (tmp_path / "x").exists()


def test_an_existing_folder_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mio.txt").write_bytes(b"mio")
    with pytest.raises(FileExistsError):
        write_bag(tmp_path / "x", plan())
    assert (tmp_path / "x" / "mio.txt").read_bytes() == b"mio"
    (tmp_path / "x.zip").write_bytes(b"mio")
    with pytest.raises(FileExistsError):
        zip_bag(tmp_path / "x", tmp_path / "x.zip", fecha=CORTE)
    assert (tmp_path / "x.zip").read_bytes() == b"mio"


def test_sources_are_bytes_files_and_streams(tmp_path: Path) -> None:
    (tmp_path / "fuente").write_bytes(b"archivo")
    told: list[tuple[int, int]] = []
    files = [
        BagFile("data/a", b"bytes"),
        BagFile("data/b", tmp_path / "fuente"),
        BagFile("data/c", lambda: io.BytesIO(b"flujo" * 10**6)),
    ]
    bag = write_bag(tmp_path / "x", BagPlan(files, CORTE), progress=lambda done, of: told.append((done, of)))
    assert (bag.files, bag.bytes) == (3, 5 + 7 + 5 * 10**6)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert (bag.folder / "data/b").read_bytes() == b"archivo"


def test_proofs_of_another_bag_are_refused(sample: Muestra, tmp_path: Path, state: State) -> None:
    other = write_bag(tmp_path / "otra", plan())
    proofs = muestra.prove(sample.leaves, [9], lambda line, _: muestra.token(state, line, muestra.NOW))
    with pytest.raises(ValueError, match="this bag"):
        add_proofs(other, proofs)
    with pytest.raises(ValueError, match="this bag"):
        add_proofs(other, Pruebas((), ()))


def test_a_bag_of_thousands_of_files_keeps_its_order(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "x", BagPlan([BagFile(f"data/{n}/{n}", b"x") for n in range(1500)], CORTE))
    lines = (bag.folder / "manifest-sha512.txt").read_text().splitlines()
    names = [line[130:] for line in lines]
    assert (len(names), names) == (1500, sorted(names))


# ZIP


def test_the_zip_of_a_bag_opens_to_the_same_bag(sample: Muestra, tmp_path: Path) -> None:
    packed = zip_bag(sample.folder, tmp_path / "x.zip", fecha=CORTE)
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        assert {one.date_time for one in archive.infolist()} == {(2026, 11, 20, 0, 0, 0)}
        names = archive.namelist()
        assert names == sorted(names)
    folder = unpack_bag(packed, tmp_path / "abierto")
    assert folder.name == "expediente-3"
    assert verificar(folder).veredicto() == VALIDA


def _zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def _linked() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x/enlace")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name",
    ["../fuera", "x/../../fuera", "/fuera", "x//y", "x/./y", "x\\..\\..\\fuera", "C:/fuera", "x/\x1b[2J", _linked()],
    ids=str,
)
def test_a_zip_that_leaves_its_folder_is_refused_whole(tmp_path: Path, name: str | zipfile.ZipInfo) -> None:
    packed = _zip(tmp_path / "x.zip", ("x/bagit.txt", b"x"), (name, b"../fuera"))
    with pytest.raises(BadInput, match="No se abrió el ZIP"):
        unpack_bag(packed, tmp_path / "abierto")
    assert not (tmp_path / "fuera").exists()
    assert not (tmp_path / "abierto").exists()


def test_a_zip_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        packed = _zip(tmp_path / "x.zip", ("x/a", b"1"), ("x/a", b"2"))
    with pytest.raises(BadInput, match="dos veces"):
        unpack_bag(packed, tmp_path / "abierto")


def test_a_name_that_is_file_and_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a la vez archivo y carpeta"):
        unpack_bag(_zip(tmp_path / "x.zip", ("x/a", b"1"), ("x/a/b", b"2")), tmp_path / "abierto")


def test_a_bomb_stops_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bolsa_zip, "FREE_BYTES", 1 << 20)
    packed = _zip(tmp_path / "x.zip", *[(f"x/{n}", b"\0" * (4 << 20)) for n in range(10)])
    with pytest.raises(BadInput, match="crece demasiado"):
        unpack_bag(packed, tmp_path / "abierto")
    written = sum(path.stat().st_size for path in (tmp_path / "abierto").rglob("*") if path.is_file())
    assert written <= packed.stat().st_size * bolsa_zip.MAX_RATIO


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no es un zip", b"\0" * 5000])
def test_rubbish_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(BadInput, match="dañado o no es un ZIP"):
        unpack_bag(tmp_path / "x.zip", tmp_path / "abierto")


def test_a_zip_cut_or_bent_in_the_middle_never_passes(sample: Muestra, tmp_path: Path) -> None:
    whole = zip_bag(sample.folder, tmp_path / "x.zip", fecha=CORTE).read_bytes()
    for number, at in enumerate(range(200, len(whole), 2500)):
        for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            packed = tmp_path / f"{number}.zip"
            packed.write_bytes(content)
            place = tmp_path / f"abierto{number}-{len(content)}"
            try:
                found = verificar(unpack_bag(packed, place)).veredicto()
            except BadInput:
                continue
            # What differs only in what the ZIP says about itself (dates, attributes) is the same bag.
            assert found != VALIDA or contents_of(place) == contents_of(sample.folder.parent)


def contents_of(parent: Path) -> dict[str, bytes]:
    folder = parent / "expediente-3"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_beside_the_bag_in_the_zip_count_as_added(sample: Muestra, tmp_path: Path) -> None:
    packed = zip_bag(sample.folder, tmp_path / "x.zip", fecha=CORTE)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("al_lado.txt", b"x")
    assert verificar(unpack_bag(packed, tmp_path / "abierto")).veredicto() != VALIDA


# The command


def test_the_command_judges_folders_and_zips(
    sample: Muestra, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packed = zip_bag(sample.folder, tmp_path / "x.zip", fecha=CORTE)
    for place in (sample.folder, packed):
        assert main(["custodia", "verificar-expediente", str(place)]) == 0
        out = capsys.readouterr().out
        assert out.splitlines()[0] == "VEREDICTO: VÁLIDA — sello de demostración, sin valor legal"
        assert "el de la bolsa es el mismo" in out
    (sample.folder / "data/06_radicacion/01Acuse.pdf").write_bytes(b"otro")
    assert main(["custodia", "verificar-expediente", str(sample.folder), "--json"]) == 1
    assert '"veredicto": "ALTERADA"' in capsys.readouterr().out
    assert main(["custodia", "verificar-expediente", str(packed), "--ancla", "ab" * 32]) == 1
    assert "FIRMA DEL SELLO NO COMPROBADA" in capsys.readouterr().out
    assert not (tmp_path / "var").exists()


def test_the_command_says_the_published_fingerprint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["custodia", "verificar-expediente", "--huella"]) == 0
    assert capsys.readouterr().out == f"{hashlib.sha256(VERIFIER.read_bytes()).hexdigest()}  verificar.py\n"


@pytest.mark.parametrize("words", [[], ["no-existe"], [".", "--ancla", "33"], [str(VERIFIER)]])
def test_what_the_command_cannot_do_ends_with_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["custodia", "verificar-expediente", *words]) == 2
    said = capsys.readouterr()
    assert said.err.strip()
    assert "Traceback" not in said.err


def test_a_full_disk_leaves_no_half_bag(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(28, os.strerror(28))

    with pytest.raises(Unavailable, match="disco está lleno"):
        write_bag(tmp_path / "x", plan(BagFile("data/a", b"a"), BagFile("data/b", Full)))
    assert not (tmp_path / "x").exists()


def test_a_copy_made_by_other_hands_is_still_valid(sample: Muestra, tmp_path: Path) -> None:
    shutil.copytree(sample.folder, tmp_path / "copia", copy_function=shutil.copy)
    for path in (tmp_path / "copia").rglob("*"):
        os.utime(path, (1, 1))
    assert verificar(tmp_path / "copia").veredicto() == VALIDA
