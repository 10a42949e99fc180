"""Upload by form and by pieces, the tray, and whose it is."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import func, select, text

from radica.app.acciones import subidas
from radica.audit.models import AccessLog
from radica.entidades.models import Prestador
from radica.facturas.models import Carga, Documento, Factura, NoReconocido
from radica.kernel.errors import InvalidTransition
from radica.users.models import Rol
from tests.acciones_seed import right_packages, write_package
from tests.functional.navigators import Browser
from tests.plugins.web import PASSWORD, House

FILER = (Rol.FACTURACION,)


def files(tmp_path: Path) -> tuple[str, list[Path]]:
    """Return the NIT of a package's issuer and its files."""
    (built,) = right_packages(1)
    return built.package.provider_nit, write_package(built, tmp_path / "p")


def token(browser: Browser) -> str:
    return str(browser.tree().xpath("//input[@name='csrf_token']/@value")[0])


def by_form(browser: Browser, paths: list[Path]) -> None:
    """Send files by the plain form of the page, as a browser without script does."""
    browser.open("/facturas/cargar")
    given = [(io.BytesIO(path.read_bytes()), path.name) for path in paths]
    browser.raw(
        "POST",
        "/facturas/cargar",
        data={"csrf_token": token(browser), "archivos": given},
        content_type="multipart/form-data",
        follow_redirects=True,
    )


def by_pieces(browser: Browser, paths: list[Path], piece: int) -> str:
    """Send files in pieces, as the script does, and return the address of the result."""
    browser.open("/facturas/cargar")
    headers = {"X-CSRFToken": token(browser), "Accept": "application/json"}
    begun = browser.client.post("/facturas/cargar/empezar", headers=headers).get_json()
    for number, path in enumerate(paths):
        data = path.read_bytes()
        for start in range(0, max(len(data), 1), piece):
            answer = browser.client.post(
                begun["trozo"],
                data=data[start : start + piece],
                headers={
                    **headers,
                    "Content-Type": "application/octet-stream",
                    "X-Archivo": str(number),
                    "X-Desde": str(start),
                    "X-Nombre": quote(path.name),
                },
            )
            assert answer.status_code == 200, answer.text
    done = browser.client.post(begun["importar"], headers=headers)
    assert done.status_code == 200, done.text
    return str(done.get_json()["resultado"])


def test_the_plain_form_loads_and_says_what_became_of_each(house: House, tmp_path: Path) -> None:
    nit, paths = files(tmp_path)
    provider = house.provider(nit=nit)
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    by_form(browser, paths)
    assert browser.status == 200
    assert "1 factura nueva" in browser.text
    by_form(browser, paths)
    assert "0 facturas nuevas" in browser.text
    assert f"Ya estaban {len(paths)}" in browser.text
    with house.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Factura)) == 1
    assert list(house.settings.incoming.iterdir()) == []


def test_a_zip_that_stores_its_pdfs_as_they_are_is_a_zip(house: House, tmp_path: Path) -> None:
    nit, paths = files(tmp_path)
    browser = house.entered("ana@norte.example", *FILER, provider=house.provider(nit=nit))
    box = tmp_path / "lote.zip"
    with zipfile.ZipFile(box, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(paths, key=lambda one: one.suffix != ".pdf"):
            archive.write(path, path.name)
    by_form(browser, [box])
    assert "1 factura nueva" in browser.text
    assert f"Cargados {len(paths)}" in browser.text


def test_pieces_make_the_same_files(house: House, tmp_path: Path) -> None:
    nit, paths = files(tmp_path)
    browser = house.entered("ana@norte.example", *FILER, provider=house.provider(nit=nit))
    browser.open(by_pieces(browser, paths, 10_000))
    assert "1 factura nueva" in browser.text
    assert f"Cargados {len(paths)}" in browser.text


def test_a_piece_out_of_place_is_refused_and_says_where_to_go_on(house: House) -> None:
    browser = house.entered("ana@norte.example", *FILER)
    browser.open("/facturas/cargar")
    headers = {"X-CSRFToken": token(browser), "Accept": "application/json"}
    begun = browser.client.post("/facturas/cargar/empezar", headers=headers).get_json()
    named = {**headers, "X-Archivo": "0", "X-Nombre": "a.pdf"}
    assert browser.client.post(begun["trozo"], data=b"12345", headers={**named, "X-Desde": "0"}).status_code == 200
    again = browser.client.post(begun["trozo"], data=b"12345", headers={**named, "X-Desde": "0"})
    assert (again.status_code, again.get_json()["tamano"]) == (409, 5)
    far = browser.client.post(begun["trozo"], data=b"9", headers={**named, "X-Desde": "77"})
    assert (far.status_code, far.get_json()["tamano"]) == (409, 5)
    assert browser.client.post(begun["trozo"], data=b"9", headers=named).status_code == 422


def test_a_cancelled_upload_leaves_nothing(house: House) -> None:
    browser = house.entered("ana@norte.example", *FILER)
    browser.open("/facturas/cargar")
    headers = {"X-CSRFToken": token(browser), "Accept": "application/json"}
    begun = browser.client.post("/facturas/cargar/empezar", headers=headers).get_json()
    piece = {**headers, "X-Archivo": "0", "X-Desde": "0", "X-Nombre": "../../x.pdf"}
    assert browser.client.post(begun["trozo"], data=b"%PDF", headers=piece).status_code == 200
    assert browser.client.post(begun["cancelar"], headers=headers).status_code == 200
    assert list(house.settings.incoming.iterdir()) == []
    assert browser.client.post(begun["importar"], headers=headers).status_code == 404
    assert browser.client.post(begun["trozo"], data=b"1", headers=piece).status_code == 404


def test_an_upload_is_of_who_began_it(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    browser.open("/facturas/cargar")
    headers = {"X-CSRFToken": token(browser), "Accept": "application/json"}
    begun = browser.client.post("/facturas/cargar/empezar", headers=headers).get_json()
    house.person("eva@norte.example", {provider: FILER})
    other = house.browser()
    other.log_in("eva@norte.example", PASSWORD)
    other.open("/facturas/cargar")
    theirs = {"X-CSRFToken": token(other), "Accept": "application/json"}
    piece = {**theirs, "X-Archivo": "0", "X-Desde": "0", "X-Nombre": "x"}
    assert other.client.post(begun["trozo"], data=b"1", headers=piece).status_code == 404
    assert other.client.post(begun["cancelar"], headers=theirs).status_code == 404
    assert other.open(begun["resultado"]).status_code == 404
    assert other.open(begun["avance"]).status_code == 404


def test_what_is_of_another_provider_goes_to_ones_own_tray_and_creates_nothing(house: House, tmp_path: Path) -> None:
    nit, paths = files(tmp_path)
    other = house.provider("IPS del Sur", nit=nit)
    mine = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=mine)
    by_form(browser, paths)
    with house.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Factura)) == 0
        rows = session.scalars(select(NoReconocido)).all()
        assert {row.prestador_id for row in rows} == {None}
        ids = [row.id for row in rows]
    assert ids
    browser.open("/no-reconocidos")
    assert "solo usted" in browser.text
    house.person("eva@sur.example", {other: tuple(Rol)})
    theirs = house.browser()
    theirs.log_in("eva@sur.example", PASSWORD)
    assert "No hay nada sin reconocer" in _text(theirs, "/no-reconocidos")
    for one in ids:
        assert theirs.open(f"/no-reconocidos/{one}").status_code == 404
        assert theirs.open(f"/no-reconocidos/{one}/descargar").status_code == 404


def _text(browser: Browser, path: str) -> str:
    browser.open(path)
    return browser.text


@pytest.fixture
def with_row(house: House, tmp_path: Path) -> tuple[Browser, int, int]:
    """Return a browser, its provider and a tray row of a file that nobody understands."""
    provider = house.provider()
    browser = house.entered("ana@norte.example", *FILER, provider=provider)
    path = tmp_path / "historia.txt"
    path.write_bytes(b"nada que se entienda")
    by_form(browser, [path])
    with house.database.read() as session:
        return browser, provider, session.scalars(select(NoReconocido.id)).one()


def test_a_tray_file_is_downloaded_as_it_came(with_row: tuple[Browser, int, int]) -> None:
    browser, _, row = with_row
    answer = browser.open(f"/no-reconocidos/{row}/descargar")
    assert answer.data == b"nada que se entienda"
    assert answer.mimetype == "application/octet-stream"
    assert "attachment" in answer.headers["Content-Disposition"]


def test_discarding_needs_a_reason_and_keeps_the_row(house: House, with_row: tuple[Browser, int, int]) -> None:
    browser, _, row = with_row
    browser.open(f"/no-reconocidos/{row}")
    browser.fill(f"/no-reconocidos/{row}/descartar", motivo="")
    assert browser.status == 422
    browser.open(f"/no-reconocidos/{row}")
    browser.fill(f"/no-reconocidos/{row}/descartar", motivo="No es de facturación")
    assert "No hay nada sin reconocer" in browser.text
    assert "No es de facturación" in _text(browser, "/no-reconocidos?ver=resueltos")
    with house.database.read() as session:
        kept = session.get_one(NoReconocido, row)
        assert kept.resuelto_at is not None
        assert kept.sha256 is not None


def test_trying_again_says_that_it_is_still_not_understood(with_row: tuple[Browser, int, int]) -> None:
    browser, _, row = with_row
    browser.open(f"/no-reconocidos/{row}")
    browser.fill(f"/no-reconocidos/{row}/reintentar")
    assert "Sigue sin reconocerse" in browser.text


def test_what_a_new_grant_makes_ours_is_recognised_on_the_second_try(house: House, tmp_path: Path) -> None:
    nit, paths = files(tmp_path)
    other = house.provider("IPS del Sur", nit=nit)
    browser = house.entered("ana@norte.example", *FILER, provider=house.provider())
    by_form(browser, [path for path in paths if path.suffix == ".xml"])
    with house.database.read() as session:
        row = session.scalars(select(NoReconocido.id)).one()
    house.person("ana@norte.example", {other: FILER})
    browser.open(f"/no-reconocidos/{row}")
    browser.fill(f"/no-reconocidos/{row}/reintentar")
    assert "Se reconoció: factura" in browser.text
    with house.database.read() as session:
        assert session.scalars(select(Factura)).one().prestador_id == other
        assert session.get_one(NoReconocido, row).resuelto_at is not None


def test_a_file_is_handed_to_the_providers_tray_and_its_opening_is_then_logged(
    house: House, with_row: tuple[Browser, int, int]
) -> None:
    browser, provider, row = with_row
    stranger = house.provider("IPS ajena")
    browser.open(f"/no-reconocidos/{row}")
    data = {"csrf_token": token(browser), "prestador": str(stranger)}
    assert browser.raw("POST", f"/no-reconocidos/{row}/prestador", data=data).status_code == 404
    browser.open(f"/no-reconocidos/{row}")
    browser.fill(f"/no-reconocidos/{row}/prestador", prestador=str(provider))
    assert browser.status == 200
    with house.database.read() as session:
        assert session.get_one(NoReconocido, row).prestador_id == provider
    browser.open(f"/no-reconocidos/{row}/descargar")
    with house.database.read() as session:
        assert len(session.scalars(select(AccessLog).where(AccessLog.object == f"no_reconocido:{row}")).all()) == 1


def test_names_never_reach_the_log(house: House, tmp_path: Path, log_lines: list[str]) -> None:
    browser = house.entered("ana@norte.example", *FILER)
    path = tmp_path / "PEREZ_JUAN_1020304050.txt"
    path.write_bytes(b"x")
    by_pieces(browser, [path], 100)
    assert not [line for line in log_lines if "1020304050" in line]
    assert json.dumps(log_lines)


def test_who_may_not_load_is_told(house: House) -> None:
    browser = house.entered("luis@norte.example", Rol.AUDITORIA)
    assert "Su rol no carga archivos" in _text(browser, "/facturas/cargar")
    assert browser.raw("POST", "/facturas/cargar", data={"csrf_token": "x"}).status_code in {400, 403}
    with house.database.read() as session:
        assert session.scalars(select(Carga)).all() == []
        assert session.scalars(select(Prestador)).all() != []


@pytest.fixture
def interrupted(house: House, tmp_path: Path) -> tuple[Browser, int, list[Path]]:
    """Leave an upload whose import the database broke off; two of its files came in before."""
    nit, paths = files(tmp_path)
    browser = house.entered("ana@norte.example", *FILER, provider=house.provider(nit=nit))
    by_form(browser, paths[:2])
    _rename_table(house, "carga_archivos", "fuera")
    by_form(browser, paths)
    assert browser.status == 500
    assert "Número para citar" in browser.text
    _rename_table(house, "fuera", "carga_archivos")
    with house.database.read() as session:
        row = session.scalars(select(Carga).order_by(Carga.id.desc())).first()
        assert row is not None
        assert row.terminada_at is None
        return browser, row.id, paths


def _rename_table(house: House, name: str, new: str) -> None:
    with house.database.write() as session:
        session.execute(text(f"ALTER TABLE {name} RENAME TO {new}"))


def test_an_import_that_broke_off_is_taken_up_again_and_nothing_is_loaded_twice(
    house: House, interrupted: tuple[Browser, int, list[Path]]
) -> None:
    browser, carga, paths = interrupted
    assert "Se interrumpió" in _text(browser, "/facturas/cargar")
    browser.open(f"/facturas/cargar/{carga}")
    browser.fill(f"/facturas/cargar/{carga}/reanudar")
    assert browser.status == 200, browser.text
    assert "Ya estaban 2" in browser.text
    assert f"Cargados {len(paths) - 2}" in browser.text
    with house.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Factura)) == 1
        assert session.scalar(select(func.count()).select_from(Documento)) == len(paths)
        assert None not in session.scalars(select(Carga.terminada_at)).all()
    assert list(house.settings.incoming.iterdir()) == []
    own = {"csrf_token": token(browser)}
    assert browser.raw("POST", f"/facturas/cargar/{carga}/reanudar", data=own).status_code == 404


def test_what_broke_off_may_be_left(house: House, interrupted: tuple[Browser, int, list[Path]]) -> None:
    browser, carga, _ = interrupted
    browser.open(f"/facturas/cargar/{carga}")
    browser.fill(f"/facturas/cargar/{carga}/cancelar")
    assert list(house.settings.incoming.iterdir()) == []
    assert "Se interrumpió" not in _text(browser, "/facturas/cargar")


def test_an_import_under_way_cannot_be_begun_again(house: House, interrupted: tuple[Browser, int, list[Path]]) -> None:
    browser, carga, _ = interrupted
    browser.open(f"/facturas/cargar/{carga}")
    own = {"csrf_token": token(browser)}
    with subidas.held(subidas.closed_of(house.settings.incoming, carga)):
        assert "todavía no termina" in _text(browser, f"/facturas/cargar/{carga}")
        for act in ("reanudar", "cancelar"):
            assert browser.raw("POST", f"/facturas/cargar/{carga}/{act}", data=own).status_code == 409, act
    house.person("eva@norte.example", {house.provider("IPS del Sur"): FILER})
    other = house.browser()
    other.log_in("eva@norte.example", PASSWORD)
    other.open("/facturas/cargar")
    own = {"csrf_token": token(other)}
    assert other.raw("POST", f"/facturas/cargar/{carga}/reanudar", data=own).status_code == 404


def test_the_same_piece_sent_twice_at_once_is_added_once(tmp_path: Path) -> None:
    folder = subidas.begin(tmp_path, 1)
    meet = threading.Barrier(2)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            with contextlib.suppress(threading.BrokenBarrierError):
                meet.wait(0.5)
            return super().read(size)

    def send(_: int) -> str:
        try:
            return str(subidas.add_piece(folder, 0, "a.xml", 0, Slow(b"12345")))
        except InvalidTransition as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == ["5", "trozo_fuera_de_lugar"]
    assert (folder / "000000").read_bytes() == b"12345"


def test_sweeping_passes_over_what_ends_meanwhile_and_keeps_what_broke_off(tmp_path: Path) -> None:
    (tmp_path / "carga-9").symlink_to(tmp_path / "no-esta")
    left = subidas.close(subidas.begin(tmp_path, 1), subidas.closed_of(tmp_path, 1))
    subidas.begin(tmp_path, 2)
    day = subidas.LEFT_AFTER_S
    assert subidas.sweep(tmp_path, now=time.time() + 2 * day) == 1
    assert left.is_dir()
    assert subidas.sweep(tmp_path, now=time.time() + 40 * day) == 1
