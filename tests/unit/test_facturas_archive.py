"""ZIP files from outside: what is refused, with its reason, and what goes on."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.facturas.archive import MB, Entrada, EntryRefused, Limites, Rechazo, check_name, entry_name, expand
from radica.facturas.xmlsafe import Unreadable


def outcome(archive: Path, limits: Limites | None = None) -> dict[str, str]:
    folder = archive.parent / f"{archive.name}_salida"
    folder.mkdir()
    results = {}
    for item in expand(archive, folder, limits):
        if isinstance(item, Entrada):
            results[item.name] = f"{item.size} bytes"
            assert item.path.parent == folder
            assert item.path.stat().st_size == item.size
        else:
            results[item.name] = item.code
            assert item.reason.endswith(".")
            assert item.todo.endswith(".")
    return results


def make(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes], deflated: bool = True) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as bundle:
        for name, data in entries:
            bundle.writestr(name, data)
    return path


def test_a_plain_package(tmp_path: Path):
    archive = make(tmp_path / "a.zip", ("FE1/fev.xml", b"<a/>"), ("FE1/", b""), ("FE1/rips.json", b"{}"))
    assert outcome(archive) == {"FE1/fev.xml": "4 bytes", "FE1/rips.json": "2 bytes"}


def test_every_refused_entry_has_a_reason_and_the_rest_goes_on(tmp_path: Path):
    link = zipfile.ZipInfo("enlace.pdf")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        z.writestr("x", b"x")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of the repeated name that we want
        archive = make(
            tmp_path / "a.zip",
            ("../fuera.xml", b"1"),
            ("a/../../fuera.xml", b"1"),
            ("..\\fuera.xml", b"1"),
            ("/etc/cron.d/x", b"1"),
            ("C:\\Windows\\x.xml", b"1"),
            (link, b"/etc/passwd"),
            ("dentro.zip", inner.getvalue()),
            ("nombre_falso.pdf", inner.getvalue()),
            ("con\x1bcontrol.xml", b"1"),
            ("__MACOSX/._a.xml", b"1"),
            ("igual.xml", b"1"),
            ("igual.xml", b"2"),
            ("IGUAL.XML", b"3"),
            ("bueno.xml", b"<a/>"),
        )
        results = outcome(archive)
    assert results == {
        "../fuera.xml": "nombre_fuera",
        "a/../../fuera.xml": "nombre_fuera",
        "/etc/cron.d/x": "nombre_absoluto",
        "C:/Windows/x.xml": "nombre_absoluto",
        "enlace.pdf": "enlace",
        "dentro.zip": "zip_dentro",
        "nombre_falso.pdf": "zip_dentro",
        "con\\x1bcontrol.xml": "nombre_control",
        "__MACOSX/._a.xml": "del_sistema",
        "igual.xml": "nombre_repetido",
        "IGUAL.XML": "nombre_repetido",
        "bueno.xml": "4 bytes",
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "a.zip_salida"]


def test_a_bomb_is_refused_before_it_grows(tmp_path: Path):
    archive = make(tmp_path / "bomba.zip", ("gordo.json", bytes(300 * MB)), ("bueno.xml", b"<a/>"))
    assert archive.stat().st_size < MB
    assert outcome(archive) == {"gordo.json": "bomba", "bueno.xml": "4 bytes"}
    assert sum(p.stat().st_size for p in (tmp_path / "bomba.zip_salida").iterdir()) == 4


def test_a_bomb_that_lies_about_its_size(tmp_path: Path):
    archive = make(tmp_path / "a.zip", ("gordo.json", bytes(40 * MB)))
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    archive.write_bytes(data)
    assert outcome(archive) == {"gordo.json": "danado"}


def test_many_small_ones_meet_the_running_total(tmp_path: Path):
    archive = make(tmp_path / "a.zip", *((f"{i}.xml", bytes(1000)) for i in range(5)))
    results = outcome(archive, Limites(total_bytes=2500))
    assert list(results.values()) == ["1000 bytes", "1000 bytes", "zip_grande", "zip_grande", "zip_grande"]
    archive = make(tmp_path / "b.zip", ("a.xml", bytes(1000)))
    assert outcome(archive, Limites(entry_bytes=999)) == {"a.xml": "grande"}


def test_well_compressed_rips_are_no_bomb(tmp_path: Path):
    text = b'{"codPrestador":"760010254101","vrServicio":1234},' * 20_000
    assert outcome(make(tmp_path / "a.zip", ("rips.json", text))) == {"rips.json": f"{len(text)} bytes"}


def test_encrypted_entries_are_refused(tmp_path: Path):
    archive = make(tmp_path / "a.zip", ("secreto.pdf", b"x"), ("bueno.xml", b"<a/>"))
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert outcome(archive) == {"secreto.pdf": "cifrado", "bueno.xml": "4 bytes"}


def test_a_broken_entry_does_not_stop_the_others(tmp_path: Path):
    archive = make(tmp_path / "a.zip", ("roto.xml", b"contenido de prueba"), ("bueno.xml", b"<a/>"), deflated=False)
    data = archive.read_bytes().replace(b"contenido de prueba", b"contenido cambiado!", 1)
    archive.write_bytes(data)
    assert outcome(archive) == {"roto.xml": "danado", "bueno.xml": "4 bytes"}


def test_other_compressions_are_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as z:
        z.writestr("a.xml", b"<a/>" * 100)
    assert outcome(tmp_path / "a.zip") == {"a.xml": "compresion"}


@pytest.mark.parametrize("data", [b"PK\x03\x04 nada", b"", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_archive_says_so(tmp_path: Path, data: bytes):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(Unreadable, match="dañado"):
        list(expand(tmp_path / "a.zip", tmp_path))


def test_too_many_entries(tmp_path: Path):
    archive = make(tmp_path / "a.zip", *((f"{i}", b"") for i in range(6)))
    with pytest.raises(Unreadable, match="6 archivos"):
        list(expand(archive, tmp_path, Limites(entries=5)))


@pytest.mark.parametrize("encoding", ["utf-8", "cp850", "cp1252", "cp437"])
def test_names_written_in_other_code_pages_are_repaired(tmp_path: Path, encoding: str):
    name = "Evolución niño.pdf"
    archive = make(tmp_path / "a.zip", ("x" * len(name.encode(encoding)), b"1"))
    raw = archive.read_bytes().replace(b"x" * len(name.encode(encoding)), name.encode(encoding))
    archive.write_bytes(raw)
    assert outcome(archive) == {name: "1 bytes"}


@given(st.text(min_size=1, max_size=60))
def test_no_accepted_name_leaves_the_folder(name: str):
    info = zipfile.ZipInfo("x")
    info.orig_filename = name
    plain = entry_name(info)
    try:
        check_name(plain, set())
    except EntryRefused:
        return
    assert ".." not in plain.split("/")
    assert not plain.startswith("/")
    assert (Path("/base") / plain).resolve().is_relative_to("/base")


@given(st.binary(max_size=400))
def test_garbage_in_the_middle_never_escapes_as_another_error(tmp_path_factory: pytest.TempPathFactory, noise: bytes):
    folder = tmp_path_factory.mktemp("zip")
    archive = make(folder / "a.zip", ("a.xml", b"<a/>" * 50), ("b.xml", b"<b/>" * 50))
    data = bytearray(archive.read_bytes())
    data[20 : 20 + len(noise)] = noise
    archive.write_bytes(bytes(data))
    try:
        results = list(expand(archive, folder))
    except Unreadable:
        return
    assert all(isinstance(item, Entrada | Rechazo) for item in results)
