"""What payers wrap their files in: ZIPs in ZIPs, mails with attachments, Outlook messages, and hostile versions."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from radica.facturas.archive import MB, Entrada, Limites, Rechazo
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura.contenedor import es_cuerpo, expandir
from radica.glosas.lectura.correo import leer_correo, leer_eml
from tests import outlook

CSV = b"FACTURA;VALOR\nFC1;100\n"


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in entries:
            bundle.writestr(name, data)
    return out.getvalue()


def workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.add_worksheet("Glosa").write(0, 0, "FACTURA")
    book.close()
    return out.getvalue()


def mail(subject: str = "Objeciones de glosa Factura FC1", **parts: object) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "Auditoría <glosas@example.com>"
    message["To"], message["Message-ID"] = "cartera@example.com", "<1@example.com>"
    message["Date"] = "Fri, 20 Nov 2026 10:00:00 -0500"
    message.set_content(str(parts.get("texto", "Adjuntamos las glosas.")))
    if "html" in parts:
        message.add_alternative(str(parts["html"]), subtype="html")
    return message


def attach(message: EmailMessage, name: str, data: bytes) -> EmailMessage:
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def opened(tmp_path: Path, name: str, data: bytes, limits: Limites | None = None) -> dict[str, bytes | str]:
    """Return the bytes of each leaf by its inner name, or the code of its refusal."""
    path, folder = tmp_path / "entrada", tmp_path / "salida"
    path.write_bytes(data)
    folder.mkdir()
    found: dict[str, bytes | str] = {}
    for one in expandir(path, name, carpeta=folder, **({"limites": limits} if limits else {})):
        assert one.name not in found
        if isinstance(one, Entrada):
            assert one.path == path or one.path.is_relative_to(folder)
            assert one.path.stat().st_size == one.size
            found[one.name] = one.path.read_bytes()
        else:
            assert one.reason.endswith(".")
            assert one.todo.endswith(".")
            found[one.name] = one.code
    return found


def test_a_plain_file_is_itself(tmp_path: Path):
    assert opened(tmp_path, "AUDITORIA_GLOSA_1.csv", CSV) == {"AUDITORIA_GLOSA_1.csv": CSV}


def test_a_workbook_is_no_archive(tmp_path: Path):
    book = workbook()
    assert opened(tmp_path, "glosas.zip", book) == {"glosas.zip": book}


def test_the_way_of_coosalud_a_mail_with_a_zip_in_a_zip(tmp_path: Path):
    book = workbook()
    inner = zipped(("GLOSAS FC1.xlsx", book), ("DETALLE FC1.xlsx", book))
    message = attach(mail(), "GLOSAS NOVIEMBRE.zip", zipped(("FC1.zip", inner), ("léame.txt", b"hola")))
    assert opened(tmp_path, "correo.eml", bytes(message)) == {
        "correo.eml/cuerpo.txt": b"Adjuntamos las glosas.\n",
        "correo.eml/GLOSAS NOVIEMBRE.zip/FC1.zip/GLOSAS FC1.xlsx": book,
        "correo.eml/GLOSAS NOVIEMBRE.zip/FC1.zip/DETALLE FC1.xlsx": book,
        "correo.eml/GLOSAS NOVIEMBRE.zip/léame.txt": b"hola",
    }


def test_what_a_file_is_follows_from_its_bytes(tmp_path: Path):
    message = bytes(attach(mail(), "glosas.pdf", zipped(("a.csv", CSV))))
    assert opened(tmp_path, "sin extension", message)["sin extension/glosas.pdf/a.csv"] == CSV


def test_the_table_of_a_mail_is_read_as_html_and_a_plain_body_as_text(tmp_path: Path):
    table = "<p>Glosas</p><TABLE><tr><td>FC1</td><td>TA0801</td></tr></TABLE>"
    found = opened(tmp_path, "c.eml", bytes(mail(html=table)))
    assert list(found) == ["c.eml/cuerpo.html"]
    assert b"TA0801" in bytes(found["c.eml/cuerpo.html"])  # type: ignore[arg-type]
    assert es_cuerpo("c.eml/cuerpo.html")
    assert es_cuerpo("a.zip/c.eml/cuerpo.txt")
    assert not es_cuerpo("cuerpo.txt")


def test_attached_mails_open_too_and_logos_are_told_apart(tmp_path: Path):
    forwarded = mail("RV: glosas")
    forwarded.add_attachment(attach(mail("Glosas FC9"), "g.csv", CSV))
    forwarded.add_attachment(b"\x89PNG", maintype="image", subtype="png", disposition="inline", cid="<logo>")
    forwarded.add_attachment(b"\x89PNG carta", maintype="image", subtype="png", filename="carta.png")
    found = opened(tmp_path, "rv.eml", bytes(forwarded))
    assert found["rv.eml/Glosas FC9.eml/g.csv"] == CSV
    assert found["rv.eml/carta.png"] == b"\x89PNG carta"
    assert "decorativo" in found.values()


def test_equal_names_in_one_mail_stay_two_files(tmp_path: Path):
    message = attach(attach(mail(), "glosas.csv", b"uno"), "GLOSAS.csv", b"dos")
    found = opened(tmp_path, "c.eml", bytes(message))
    assert found["c.eml/glosas.csv"] == b"uno"
    assert found["c.eml/GLOSAS (2).csv"] == b"dos"


def test_names_of_attachments_never_lead_out(tmp_path: Path):
    message = attach(attach(mail(), "../../fuera.csv", b"1"), "C:\\dir\\g.csv", b"2")
    found = opened(tmp_path, "c.eml", bytes(message))
    assert found["c.eml/fuera.csv"] == b"1"
    assert found["c.eml/g.csv"] == b"2"
    assert not (tmp_path.parent / "fuera.csv").exists()


def test_refused_entries_keep_their_way_and_reason(tmp_path: Path):
    link = zipfile.ZipInfo("enlace.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    plain = zipped(("a.csv", CSV))
    secret = bytearray(zipped(("secreto.csv", CSV)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = secret.index(mark) + offset
        secret[place : place + 2] = struct.pack("<H", 1)
    inner = zipped(("../fuera.csv", b"1"), (link, b"/etc/passwd"), ("bien.csv", CSV))
    found = opened(
        tmp_path,
        "g.zip",
        zipped(
            ("i.zip", inner), ("clave.zip", bytes(secret)), ("cortado.zip", plain[:-30]), ("x.rar", b"Rar!\x1a\x07")
        ),
    )
    assert found == {
        "g.zip/i.zip/../fuera.csv": "nombre_fuera",
        "g.zip/i.zip/enlace.csv": "enlace",
        "g.zip/i.zip/bien.csv": CSV,
        "g.zip/clave.zip/secreto.csv": "cifrado",
        "g.zip/cortado.zip": "zip_danado",
        "g.zip/x.rar": "comprimido_ajeno",
    }


def test_a_bomb_divided_among_layers_meets_one_budget(tmp_path: Path):
    part = zipped(("ceros.csv", bytes(1 * MB)))
    bomb = zipped(*[(f"{n}.zip", zipped(("dentro.zip", part))) for n in range(20)])
    found = opened(tmp_path, "bomba.zip", bomb, Limites(total_bytes=5 * MB))
    assert sum(isinstance(one, bytes) for one in found.values()) == 4
    assert list(found.values()).count("zip_grande") >= 10


def test_a_bomb_of_one_entry_is_refused_while_it_is_written(tmp_path: Path):
    found = opened(tmp_path, "b.zip", zipped(("b.csv", bytes(40 * MB))))
    assert found == {"b.zip/b.csv": "bomba"}


def test_depth_and_number_have_an_end(tmp_path: Path):
    nest = zipped(("a.csv", CSV))
    for _ in range(8):
        nest = zipped(("n.zip", nest))
    assert list(opened(tmp_path, "n.zip", nest).values()) == ["muy_anidado"]


def test_too_many_entries_is_one_refusal(tmp_path: Path):
    many = zipped(*[(f"{n}.csv", b"x") for n in range(12)])
    assert opened(tmp_path, "m.zip", many, Limites(entries=10)) == {"m.zip": "zip_muchos"}


def test_an_outlook_message_with_attachments_and_a_mail_inside(tmp_path: Path):
    inside = outlook.mensaje(asunto="Glosas FC7", texto="Ver anexo", adjuntos=(("GLOSAS FC7.csv", CSV),))
    big = bytes(range(256)) * 40
    data = outlook.msg(
        asunto="RV: Objeción de glosas",
        texto="Señores: adjunto.",
        html="<table><tr><td>FC7</td></tr></table>",
        message_id="77@example.com",
        enviado=datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        adjuntos=(("FC.zip", zipped(("d.csv", CSV))), ("grande.bin", big), ("otro", inside)),
        logos=(("logo.png", b"\x89PNG"),),
    )
    assert opened(tmp_path, "c.msg", data) == {
        "c.msg/cuerpo.html": b"<table><tr><td>FC7</td></tr></table>",
        "c.msg/FC.zip/d.csv": CSV,
        "c.msg/grande.bin": big,
        "c.msg/Glosas FC7.eml/cuerpo.txt": b"Ver anexo",
        "c.msg/Glosas FC7.eml/GLOSAS FC7.csv": CSV,
        "c.msg/logo.png": "decorativo",
    }
    message = leer_correo(tmp_path / "entrada")
    assert message.asunto == "RV: Objeción de glosas"
    assert message.message_id == "77@example.com"
    assert message.remitente == "Auditoría <eps@example.com>"
    assert message.fecha == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("cut", [600, 1100, 1500, 2200, 3000])
def test_a_cut_outlook_message_is_said_to_be_damaged_or_read(tmp_path: Path, cut: int):
    data = outlook.msg(asunto="x", texto="hola" * 200, adjuntos=(("a.csv", CSV * 300),))
    path = tmp_path / "c.msg"
    path.write_bytes(data[:cut])
    folder = tmp_path / "salida"
    folder.mkdir()
    results = list(expandir(path, "c.msg", carpeta=folder))
    assert len(results) == 1
    assert isinstance(results[0], Rechazo) or results[0].path == path


def test_a_tnef_attachment_is_named(tmp_path: Path):
    message = attach(mail(), "winmail.dat", b"\x78\x9f\x3e\x22\x01\x00")
    assert opened(tmp_path, "c.eml", bytes(message))["c.eml/winmail.dat"] == "tnef"


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"=?utf-8?q?Notificaci=C3=B3n_de_glosas?=", "Notificación de glosas"),
        (b"=?iso-8859-1?q?Devoluci=F3n?= de facturas", "Devolución de facturas"),
        ("Objeción cruda".encode(), "Objeción cruda"),
        ("Objeción cruda".encode("cp1252"), "Objeción cruda"),
        (b"=?inexistente?q?Glosa=20FC?=", "Glosa FC"),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),
    ],
)
def test_subjects_as_programs_write_them(raw: bytes, subject: str):
    message = leer_eml(b"From: a@example.com\r\nSubject: " + raw + b"\r\nDate: ayer\r\n\r\nhola\r\n")
    assert message.asunto == subject
    assert message.fecha is None


def test_file_names_as_programs_write_them():
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    names = [
        b"filename*=utf-8''Objeci%C3%B3n.csv",
        b'filename="=?utf-8?q?Objeci=C3=B3n.csv?="',
        'filename="Objeción.csv"'.encode(),
        'filename="Objeción.csv"'.encode("cp1252"),
    ]
    for name in names:
        part = b"--x\r\nContent-Disposition: attachment; " + name + b"\r\n\r\na\r\n--x--\r\n"
        assert [one.nombre for one in leer_eml(head + part).adjuntos] == ["Objeción.csv"], name


def test_a_mail_nested_without_end_is_refused():
    deep = b"From: a@example.com\r\nSubject: x\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
    )
    with pytest.raises(Unreadable) as refused:
        leer_eml(deep)
    assert refused.value.code == "correo_anidado"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2000), st.booleans())
def test_no_bytes_break_the_reader_of_mails(noise: bytes, place: int, whole: bool):
    data = noise if whole else bytes(attach(mail(html="<table/>"), "a.zip", CSV))
    place %= len(data) + 1
    leer_eml(data[:place] + noise + data[place:])
