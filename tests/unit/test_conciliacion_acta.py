"""The acta as a document: whatever the table, every printed total is the sum of the printed lines, to the centavo."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdfium2 import PdfDocument

from radica.conciliacion.acta import Asistente, Contenido, Fila, Parte, Promesa, Prueba
from radica.conciliacion.acta_pdf import draw
from radica.conciliacion.simulate import Reparto

_MONEY = r"\$ ([\d.]+(?:,\d\d)?)"
_LINE = re.compile(rf"^(\d+) (FE\d+) (\w{{6}})\*? {_MONEY} {_MONEY} {_MONEY} {_MONEY}$")
_TOTAL = re.compile(rf"^Total {_MONEY} {_MONEY} {_MONEY} {_MONEY}$")
_CODE = re.compile(rf"^(\w{{6}}) (\d+) {_MONEY} {_MONEY} {_MONEY} {_MONEY}$")


@st.composite
def rows(draw_: st.DrawFn) -> Fila:
    dispute = draw_(st.integers(1, 10**11))
    lifted = draw_(st.integers(0, dispute))
    accepted = draw_(st.integers(0, dispute - lifted))
    number = draw_(st.integers(1, 99_999))
    kind = draw_(st.sampled_from(["glosa", "glosa", "devolucion"]))
    proofs = tuple(
        Prueba("2026-06-16", act, "TA0801", "pagador", (f"{number:064x}",))
        for act in draw_(st.lists(st.sampled_from(["notificacion", "respuesta", "decision"]), max_size=3))
    )
    return Fila(
        f"FE{number}", f"RAD{number}", draw_(st.sampled_from(["FA0201", "TA0801", "SO3401"])), kind, dispute, lifted,
        accepted, dispute - lifted - accepted, draw_(st.sampled_from(["", "tarifa <pactada> & firmada"])), proofs,
    )  # fmt: skip


def content(lines: list[Fila], **changes: object) -> Contenido:
    base: dict[str, object] = {
        "numero": 7,
        "prestador": Parte("IPS Clínica del Norte", "900100001"),
        "pagador": Parte("EPS Sabana Verde", "800200002"),
        "fecha": "2026-11-18",
        "hora": "09:30",
        "lugar": "Bogotá",
        "fecha_corte": "2026-10-31",
        "asistentes": (Asistente("Ana", "Glosas", "prestador"), Asistente("Luis", "Auditor", "pagador")),
        "filas": tuple(lines),
        "promesas": (Promesa("2026-12-15", 120_000, "Giro"),),
        "notas": "",
    }
    return Contenido(**{**base, **changes})  # type: ignore[arg-type]


def text_of(data: bytes) -> list[str]:
    document = PdfDocument(data)
    try:
        pages = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    finally:
        document.close()
    return [" ".join(line.split()) for page in pages for line in page.splitlines()]


def cents(text: str) -> int:
    whole, _, rest = text.replace(".", "").partition(",")
    return int(whole) * 100 + int(rest or "0")


def printed(match: re.Match[str], first: int) -> Reparto:
    dispute, lifted, accepted, stays = (cents(match[at]) for at in range(first, first + 4))
    assert dispute == lifted + accepted + stays
    return Reparto(lifted, accepted, stays)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows(), min_size=1, max_size=60))
def test_the_printed_totals_are_the_sums_of_the_printed_lines(lines: list[Fila]) -> None:
    text = text_of(draw(content(lines)))
    found = [match for line in text if (match := _LINE.match(line))]
    assert [int(match[1]) for match in found] == list(range(1, len(lines) + 1))
    total = sum((printed(match, 4) for match in found), Reparto())
    assert total == sum((one.reparto for one in lines), Reparto())
    (said,) = [match for line in text if (match := _TOTAL.match(line))]
    assert printed(said, 1) == total
    by_code = [match for line in text if (match := _CODE.match(line))]
    assert sum((printed(match, 3) for match in by_code), Reparto()) == total
    assert sum(int(match[2]) for match in by_code) == len(lines)


def one_line(**changes: object) -> Fila:
    base: dict[str, object] = {
        "factura": "FE1", "radicado": "RAD1", "codigo": "FA0201", "tipo": "glosa", "en_disputa": 100, "levantado": 60,
        "aceptado": 40, "sigue": 0, "nota": "", "pruebas": (),
    }  # fmt: skip
    return Fila(**{**base, **changes})  # type: ignore[arg-type]


def test_equal_contents_are_equal_bytes_and_carry_their_hash() -> None:
    one = content([one_line()])
    data = draw(one)
    assert data == draw(content([one_line()]))
    lines = text_of(data)
    sheets = [line for line in lines if one.sha256 in line]
    folios = [line for line in lines if "Folio" in line]
    assert len(sheets) == len(folios) > 1
    assert f"Folio 1 de {len(folios)}" in " ".join(lines)
    assert content([one_line(levantado=61, aceptado=39)]).sha256 != one.sha256


def test_each_line_has_its_proof() -> None:
    sha = "c" * 64
    acts = (Prueba("2026-06-16", "notificacion", "FA0201", "pagador", (sha,)),)
    text = " ".join(text_of(draw(content([one_line(pruebas=acts)]))))
    assert "Notificación FA0201, pagador" in text
    assert sha in text
    assert "Sin actos registrados" in " ".join(text_of(draw(content([one_line()]))))


def test_the_earlier_acta_is_named() -> None:
    one = content([one_line()], anterior="N.º 5, firmada el 5 de mayo de 2026", anterior_sha256="f" * 64)
    text = "".join(text_of(draw(one)))
    assert "Continúa la conciliación N.º 5" in text
    assert "f" * 64 in text


@pytest.mark.parametrize("name", ["中文 😀", "<b>x", "A" * 200, "Ñandú & Cía. S.A.S."])
def test_no_name_breaks_the_document(name: str) -> None:
    people = (Asistente(name, name, "prestador"), Asistente(name, "", "otro"))
    data = draw(content([one_line(factura=name[:40])], prestador=Parte(name, "1"), asistentes=people, promesas=()))
    assert data.startswith(b"%PDF-")
    assert "no acordaron fechas de pago" in " ".join(text_of(data))


def test_only_a_draft_says_draft() -> None:
    one = content([one_line()])
    assert "BORRADOR" in text_of(draw(one, borrador=True))
    assert "BORRADOR" not in " ".join(text_of(draw(one)))
