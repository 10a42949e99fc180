"""What a mail is: a notice that no code of the Manual Único announces is still no acuse."""

from __future__ import annotations

import pytest

from radica.glosas.correo.clasificar import TABLA, clasificar, codigos_dentro
from radica.glosas.correo.mail_models import ClaseCorreo
from tests.glosas_libros import escribir, libro

OLD = [["Factura", "Código de glosa", "Valor glosado"], ["FE1", 203, 1000]]


@pytest.mark.parametrize("subject", ["Archivo masivo", "Acuse de recibo", "Radicación exitosa", ""])
def test_a_table_of_glosas_without_new_codes_is_a_notice_whatever_the_subject(tmp_path, subject):
    path = escribir(tmp_path, "sura")
    assert codigos_dentro(path, path.name) == {TABLA}
    assert clasificar(subject, ["masivo.txt"], codigos_dentro(path, path.name)).clase is ClaseCorreo.GLOSA


def test_old_codes_in_a_workbook_too(tmp_path):
    path = libro(tmp_path / "informe.xlsx", {"Hoja1": OLD})
    found = clasificar("Acuse de recibo", ["informe.xlsx"], codigos_dentro(path, path.name))
    assert found.clase is ClaseCorreo.GLOSA
    assert any("columnas de glosas" in reason for reason in found.razones)


def test_an_acuse_that_carries_no_table_stays_one(tmp_path):
    path = tmp_path / "acuse.txt"
    path.write_text("Se recibió su cuenta 1203 por valor de 1000 sin glosa alguna.")
    assert codigos_dentro(path, path.name) == set()
    assert clasificar("Acuse de recibo", ["acuse.txt"], set()).clase is ClaseCorreo.ACUSE


def test_returns_are_told_by_their_code_also_in_a_table():
    assert clasificar("", ["x.csv"], {"DE5601", TABLA}).clase is ClaseCorreo.DEVOLUCION
