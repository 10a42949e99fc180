"""The frame of the web: doors, one transaction per view, headers, errors, and what reaches the log."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint, Flask, request
from sqlalchemy import select
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from radica.app.factory import create_app
from radica.entidades.models import EstadoPrestador, Prestador
from radica.kernel.errors import InvalidTransition, StalePage, Unavailable
from radica.kernel.web import allow, allow_anyone, current, db_session, max_upload, now, public, safe_next
from radica.users.models import Rol, Sesion, Usuario
from tests.plugins.web import CHEAP, House

# Whoever adds a public page says so here too.
PUBLIC = {"users.entrar", "users.codigo", "salud", "favicon", "static"}


def _address(app: Flask, rule: Rule, method: str) -> str:
    """An address of the rule, with 1 for each number, the first word of a choice and x for other texts."""
    values: dict[str, object] = {}
    for name in rule.arguments:
        kind = rule._converters[name]
        number = isinstance(kind, IntegerConverter)
        values[name] = min(kind.items) if isinstance(kind, AnyConverter) else 1 if number else "x"
    return app.url_map.bind("localhost").build(rule.endpoint, values, method=method)


def _rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def test_no_address_answers_a_stranger_but_the_public_ones(house: House) -> None:
    walked = 0
    for rule, method in _rules(house.app):
        if rule.endpoint in PUBLIC:
            continue
        walked += 1
        page = house.browser().raw(method, _address(house.app, rule, method))
        assert page.status_code == 303, f"{method} {rule.rule} answered {page.status_code}"
        assert page.headers["Location"].startswith("/entrar"), rule.rule
        machine = house.browser().raw(method, _address(house.app, rule, method), headers={"Accept": "application/json"})
        assert machine.status_code == 401, f"{method} {rule.rule} answered a machine {machine.status_code}"
        assert machine.get_json()["error"]["codigo"] == "http_401"
    assert walked > 10


def test_the_public_pages_are_the_ones_that_are_meant(house: House) -> None:
    marked = {name for name, view in house.app.view_functions.items() if getattr(view, "radica_public", False)}
    assert marked | {"static"} == PUBLIC


def test_an_unknown_address_tells_a_stranger_nothing(house: House) -> None:
    assert house.browser().raw("GET", "/no/existe").headers["Location"].startswith("/entrar")
    browser = house.entered()
    assert browser.open("/no/existe").status_code == 404


def test_nothing_changes_without_the_token_of_the_page(house: House) -> None:
    browser = house.entered()
    walked = 0
    for rule, method in _rules(house.app):
        if method == "GET":
            continue
        walked += 1
        assert browser.raw(method, _address(house.app, rule, method)).status_code == 400, f"{method} {rule.rule}"
        assert "lo que escribió se conserva" in browser.text
    assert walked > 8
    browser.open("/mi-cuenta")
    assert browser.path == "/mi-cuenta", "the session is still alive: nothing was done"


def test_every_answer_carries_the_policies(house: House) -> None:
    browser = house.entered()
    for path in ("/", "/mi-cuenta", "/no/existe", "/administracion/usuarios"):
        headers = browser.open(path).headers
        assert headers["Content-Security-Policy"] == (
            "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'self'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
    with browser.raw("GET", "/static/radica.css?v=abc") as asset:
        assert "max-age=31536000" in asset.headers["Cache-Control"]


def test_no_page_holds_inline_script_or_style(house: House) -> None:
    browser = house.entered()
    pages = ["/", "/mi-cuenta", "/mi-cuenta/clave", "/mi-cuenta/segundo-factor", "/administracion/usuarios/nuevo"]
    for path in [*pages, "/administracion/usuarios", "/administracion/usuarios/1", "/no/existe"]:
        browser.open(path)
        tree = browser.tree()
        assert tree.xpath("//style|//script[not(@src)]|//*[@style]") == []
        assert [name for node in tree.iter() for name in node.attrib if name.startswith(("on", "hx-on"))] == []
        assert tree.xpath("//*[@src and (starts-with(@src,'http') or starts-with(@src,'//'))]") == []


def test_the_cookies_are_not_for_scripts_nor_for_other_sites(house: House) -> None:
    house.person("ana@norte.example", {house.provider(): (Rol.GLOSAS,)})
    browser = house.browser()
    browser.open("/entrar")
    form = browser.form("/entrar")
    data = dict(form.form_values()) | {"correo": "ana@norte.example", "clave": "cuatro palabras que nadie junta"}
    set_cookies = browser.raw("POST", "/entrar", data=data).headers.getlist("Set-Cookie")
    assert any(one.startswith("radica_sesion=") for one in set_cookies)
    assert all("HttpOnly" in one and "SameSite=Lax" in one for one in set_cookies)


def test_the_key_of_the_server_stands_in_a_file_of_the_owner_alone(house: House) -> None:
    path = house.settings.keys / "web.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert house.app.config["SECRET_KEY"] == path.read_bytes()
    again = create_app(house.settings, house.database, house.clock, hasher=CHEAP)
    assert again.config["SECRET_KEY"] == path.read_bytes()


@pytest.mark.parametrize(
    "target",
    [
        "//malo.example/x",
        "https://malo.example",
        "/\\malo.example",
        "malo",
        "",
        None,
        "/a\nb",
        "javascript:alert(1)",
        "/" + "a" * 3000,
    ],
)
def test_only_a_path_of_ours_is_returned_to(target: str | None) -> None:
    assert safe_next(target) is None


def test_a_path_of_ours_is_kept_with_its_filters() -> None:
    assert safe_next("/facturas?estado=lista&orden=-valor") == "/facturas?estado=lista&orden=-valor"


def _with(house: House, add: Callable[[Blueprint], None], *, csrf: bool = False) -> Flask:
    """The application with views of the test's own; without the page's token unless that is the subject."""
    views = Blueprint("prueba", __name__, url_prefix="/prueba")
    add(views)
    app = create_app(house.settings, house.database, house.clock, hasher=CHEAP, more_views=[views])
    app.config["WTF_CSRF_ENABLED"] = csrf
    return app


def _provider_named(name: str) -> Prestador:
    return Prestador(nit=f"8{abs(hash(name)) % 10**8}", nombre=name, estado=EstadoPrestador.ACTIVO, creado_at=now())


def test_a_view_is_kept_below_400_and_undone_from_there(house: House) -> None:
    def add(app: Blueprint) -> None:
        @app.post("/<int:status>")
        @public
        def write(status: int) -> tuple[str, int]:
            db_session().add(_provider_named(f"con {status}"))
            if status == 500:
                raise RuntimeError("un dato de la persona 1032456789")
            if status == 409:
                raise StalePage
            return "listo", status

    client = _with(house, add).test_client()
    for status in (200, 204, 303, 400, 409, 422, 500):
        assert client.post(f"/prueba/{status}", headers={"Accept": "application/json"}).status_code == status
    with house.database.read() as session:
        kept = set(session.scalars(select(Prestador.nombre)))
    assert kept == {"con 200", "con 204", "con 303"}


def test_a_reading_view_cannot_write(any_house: House) -> None:
    def add(app: Blueprint) -> None:
        @app.get("/")
        @public
        def sneaky() -> str:
            db_session().add(_provider_named("a escondidas"))
            db_session().flush()
            return "listo"

    assert _with(any_house, add).test_client().get("/prueba/").status_code == 500
    with any_house.database.read() as session:
        assert session.scalars(select(Prestador)).all() == []


def test_an_undeclared_changing_route_stops_the_start(house: House) -> None:
    def add(app: Blueprint) -> None:
        @app.post("/olvidada")
        def forgotten() -> str:
            return "cualquiera"

    with pytest.raises(RuntimeError, match=r"forgotten \(/prueba/olvidada\)"):
        _with(house, add)


def test_an_error_says_what_happened_and_nothing_of_what_was_typed(house: House, log_lines: list[str]) -> None:
    def add(app: Blueprint) -> None:
        @app.post("/roto")
        @public
        def broken() -> str:
            raise RuntimeError(f"paciente CC 1032456789 clave={request.form['clave']}")

        @app.get("/ocupado")
        @public
        def busy() -> str:
            raise Unavailable("La base está ocupada.", todo="Espere.", code="base_ocupada")

        @app.get("/imposible")
        @public
        def impossible() -> str:
            raise InvalidTransition("No se puede radicar.", todo="Recargue.", code="transicion_invalida")

    client = _with(house, add).test_client()
    page = client.post("/prueba/roto", data={"clave": "muy-secreta-123456"})
    body = page.get_data(as_text=True)
    assert page.status_code == 500
    assert "Algo falló de nuestro lado" in body
    number = re.search(r"[0-9A-F]{4}-[0-9A-F]{4}", body)
    assert number is not None
    assert "1032456789" not in body
    assert "RuntimeError" not in body
    assert "Traceback" not in body
    logged = "\n".join(log_lines)
    assert number.group() in logged
    assert "RuntimeError" in logged
    assert "1032456789" not in logged
    assert "muy-secreta" not in logged
    assert client.get("/prueba/ocupado").status_code == 503
    fragment = client.get("/prueba/imposible", headers={"HX-Request": "true"})
    assert fragment.status_code == 409
    assert fragment.headers["HX-Retarget"] == "#avisos"
    assert "<html" not in fragment.get_data(as_text=True)
    machine = client.get("/prueba/imposible", headers={"Accept": "application/json"})
    assert machine.get_json()["error"]["codigo"] == "transicion_invalida"


def test_a_view_takes_as_much_as_it_says(house: House) -> None:
    def add(app: Blueprint) -> None:
        @app.post("/chico")
        @allow_anyone
        def small() -> str:
            return str(len(request.get_data()))

        @app.post("/grande")
        @allow(Rol.FACTURACION)
        @max_upload(5_000_000)
        def large() -> str:
            return str(len(request.get_data()))

    app = _with(house, add)
    browser = house.entered("ana@norte.example", Rol.FACTURACION)
    cookie = browser.client.get_cookie("radica_sesion")
    assert cookie is not None
    client = app.test_client()
    client.set_cookie("radica_sesion", cookie.value)
    body = b"x" * 3_000_000
    assert client.post("/prueba/chico", data=body).status_code == 413
    assert client.post("/prueba/grande", data=body).get_data() == b"3000000"


def test_a_role_that_is_missing_is_refused(house: House) -> None:
    browser = house.entered("luis@norte.example", Rol.GLOSAS)
    assert browser.open("/administracion/usuarios").status_code == 403
    assert "Administración" not in browser.text


def test_a_proxy_is_believed_only_when_it_is_ours(house: House) -> None:
    seen: list[str] = []
    for trusted, expected in ((0, "http"), (1, "https")):
        app = create_app(house.settings, house.database, house.clock, hasher=CHEAP, trusted_proxies=trusted)

        @app.before_request
        def look() -> None:
            seen.append(request.scheme)

        app.test_client().get("/salud", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1"})
        assert seen[-1] == expected


def test_a_request_line_names_the_rule_and_not_what_was_searched(house: House, log_lines: list[str]) -> None:
    browser = house.entered()
    browser.open("/administracion/usuarios/1?buscar=Perez+1032456789")
    line = next(one for one in reversed(log_lines) if "ruta=/administracion/usuarios/<int:usuario_id>" in one)
    assert "usuario_id=1" in line
    assert "estado=200" in line
    assert not any("Perez" in one or "1032456789" in one or "ana@norte" in one for one in log_lines)


def test_the_frame_knows_the_person_from_the_session_alone(house: House) -> None:
    house.entered()
    with house.database.read() as session:
        row = session.scalars(select(Sesion)).one()
        assert len(row.token_hash) == 64
        assert session.get(Usuario, row.usuario_id) is not None
    with house.app.app_context():
        assert current().settings is house.settings
