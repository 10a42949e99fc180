"""Judges the files of one invoice together and tells each file's verdict as `radica validar` prints it.

Invariant: each finding lands in the file of which it speaks, once; a file that cannot be read is never *valido*, and
neither is one with an amount that nobody could read. Amounts are pesos as text with two decimals; a patient is never
in the document. Norms: Res. 948 de 2026; the shape is fixed and documented in the README.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from radica.facturas.cuv import CuvResult
from radica.facturas.fev import Clase as Documento
from radica.facturas.numbers import Match, parse_invoice_number, same_invoice
from radica.facturas.rips import read_rips
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.firma import firmas
from radica.facturas.validacion.leer import Abierto, Archivo, Problema, Tipo, abrir
from radica.facturas.validacion.lote import Huellas, huellas
from radica.facturas.validacion.modelo import Clase, Contexto, Fuente, Hallado, Hallazgo, Modulo, Paquete, Quien
from radica.facturas.validacion.motor import juzgar
from radica.facturas.validacion.soportes import pacientes_de, rutas
from radica.facturas.validacion.tablas import Catalogos
from radica.facturas.validacion.topes import MAX_LUGARES
from radica.kernel.money import round_money

VERSION = 1
VALIDO, CON_HALLAZGOS, ILEGIBLE = "valido", "con_hallazgos", "ilegible"

FALLOS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a rule that meets a document nobody thought of would raise: it costs that group its checks, not the batch."""

_FACTURA = (
    "numero", "cufe", "nit_emisor", "nit_adquiriente", "fecha_expedicion", "valor_bruto", "valor_anticipos",
    "valor_pagar", "tipo_operacion", "ambiente",
)  # fmt: skip
_RESUMEN = "CRUCE-CUV-RECHAZO"
"""Sums up the rejections of an answer by code; here the answer itself tells each one."""
_LONGEST = 300
_NUNCA = datetime.min.replace(tzinfo=UTC)
_OF_RIPS = (Fuente.RIPS, Fuente.CRUCE, Fuente.CAPITA_INICIAL)


@dataclass(frozen=True)
class Encargo:
    """How a batch is judged; `fecha` None: by the documents themselves. `ahora` is aware.

    `clave` is a secret of the run, with which services are made comparable between invoices; None: they are not.
    """

    ahora: datetime
    catalogos: Catalogos
    fecha: date | None = None
    clave: bytes | None = field(repr=False, default=None)
    pacientes: frozenset[str] = field(repr=False, default=frozenset())
    """Documents of the patients of the whole batch (`pacientes_de_lote`), for supports that are in another's place."""


@dataclass(frozen=True)
class _Juego:
    """A package to judge, and in which file (position in the group) each kind of finding lands.

    `solo` narrows to findings of one document, for a second one of its kind whose partners were judged already.
    """

    paquete: Paquete
    duenos: Mapping[Fuente, int]
    soportes: tuple[int, ...] = ()
    solo: Fuente | None = None


def resultados(archivos: Sequence[Archivo], encargo: Encargo) -> list[dict[str, Any]]:
    """Judge the files of one group and return the result of each, in the order given.

    Raises one of FALLOS when a rule meets a document that nobody thought of (a defect of ours).
    """
    return juzgados(archivos, encargo)[0]


def juzgados(archivos: Sequence[Archivo], encargo: Encargo) -> tuple[list[dict[str, Any]], Huellas | None]:
    """Return the results of a group as `resultados` does, and what of it is compared with other invoices."""
    opened = [abrir(one) for one in archivos]
    found: list[list[Hallazgo]] = [_read(one, encargo) for one in opened]
    games = juegos(opened)
    for game in games:
        context = Contexto(
            _day(game.paquete, encargo), encargo.ahora, encargo.catalogos, otros_pacientes=encargo.pacientes
        )
        for finding in juzgar(game.paquete, context):
            if finding.codigo == _RESUMEN or (game.solo is not None and finding.fuente is not game.solo):
                continue
            found[_owner(game, finding)].append(finding)
    answers = _respuestas(opened)
    _say_once(found, answers)
    cuv = opened[answers[0]].cuv if answers else None
    if cuv is not None and games and not _is_of(cuv, games[0].paquete):
        cuv = None  # it was given with this invoice and is of another: that is told, and it is not its CUV
    prints = huellas(games[0].paquete, encargo.clave) if games and encargo.clave else None
    return [_result(one, some, cuv) for one, some in zip(opened, found, strict=True)], prints


def agregar(resultado: dict[str, Any], hallados: Sequence[Hallado], encargo: Encargo) -> dict[str, Any]:
    """Return the result of a file with what showed only beside other invoices."""
    more = [_finding(one) for one in _told(hallados, encargo)]
    findings = sorted([*resultado["hallazgos"], *more], key=lambda one: _WEIGHT[Clase(one["severidad"])])
    state = CON_HALLAZGOS if more and resultado["estado"] == VALIDO else resultado["estado"]
    return {**resultado, "estado": state, "hallazgos": findings}


def pacientes_de_lote(archivos: Iterable[Archivo]) -> set[str]:
    """Return the documents of the patients of the RIPS of a batch; health data, compared with and never shown."""
    with_rips = [one for one in archivos if one.tipo in (Tipo.RIPS, Tipo.SOLICITUD)]
    return {plain for one in with_rips for _, plain in pacientes_de(abrir(one).rips)}


def sin_revisar(archivos: Sequence[Archivo], detalle: str, encargo: Encargo) -> list[dict[str, Any]]:
    """Return the results of a group whose checks did not end (`detalle`: why, for a person)."""
    told = list(_told([Hallado("LEC-SIN-REVISAR", "", {"detalle": detalle})], encargo))
    return [_result(Abierto(one, problema=Problema("")), told, None) for one in archivos]


def juegos(opened: Sequence[Abierto]) -> list[_Juego]:
    """Return the packages that the files of one invoice make, each pair of XML and RIPS once."""
    xmls = [at for at, one in enumerate(opened) if one.xml is not None and one.archivo.tipo is not Tipo.RESPUESTA]
    rips = [at for at, one in enumerate(opened) if one.rips is not None]
    answers = [at for at, one in enumerate(opened) if one.archivo.tipo is Tipo.RESPUESTA and one.xml is not None]
    cuvs = _respuestas(opened)
    supports = tuple(at for at, one in enumerate(opened) if one.soporte is not None)
    pairs = _pairs(xmls, rips)
    games = []
    for turn, (xml, record) in enumerate(pairs or [(None, None)]):
        if xml is None and record is None and not (answers or cuvs or supports):
            continue
        answer, cuv = (answers[0] if answers else None), (cuvs[0] if cuvs else None)
        games.append(_game(opened, xml, record, answer, cuv, supports if turn == 0 else ()))
    first = pairs[0] if pairs else (None, None)
    games += [replace(_game(opened, *first, at, None, ()), solo=Fuente.RESPUESTA) for at in answers[1:]]
    games += [replace(_game(opened, *first, None, at, ()), solo=Fuente.CUV) for at in cuvs[1:]]
    return games


def _respuestas(opened: Sequence[Abierto]) -> list[int]:
    """Return the positions of the answers of the MUV, the one that counts first: accepted, then the latest."""
    found = [(at, one.cuv) for at, one in enumerate(opened) if one.cuv is not None]
    found.sort(key=lambda pair: pair[1].cuv or pair[1].process or "")
    found.sort(key=lambda pair: (pair[1].accepted, pair[1].at or _NUNCA), reverse=True)
    return [at for at, _ in found]


def _pairs(xmls: Sequence[int], rips: Sequence[int]) -> list[tuple[int | None, int | None]]:
    """Pair XML and RIPS: a request with itself, then the others with each other, then with what there is."""
    whole = [at for at in xmls if at in rips]
    loose_xml, loose_rips = [at for at in xmls if at not in rips], [at for at in rips if at not in xmls]
    pairs: list[tuple[int | None, int | None]] = []
    if loose_xml and loose_rips:
        pairs += [(loose_xml[0], at) for at in loose_rips]
        pairs += [(at, loose_rips[0]) for at in loose_xml[1:]]
    else:
        pairs += [(at, whole[0] if whole else None) for at in loose_xml]
        pairs += [(whole[0] if whole else None, at) for at in loose_rips]
    return [*((at, at) for at in whole), *pairs]


def _game(
    opened: Sequence[Abierto],
    xml: int | None,
    rips: int | None,
    answer: int | None,
    cuv: int | None,
    supports: tuple[int, ...],
) -> _Juego:
    package = Paquete(
        xml=opened[xml].xml if xml is not None else None,
        respuesta=opened[answer].xml if answer is not None else None,
        rips=opened[rips].rips if rips is not None else None,
        cuv=opened[cuv].cuv if cuv is not None else None,
        soportes=tuple(one for at in supports if (one := opened[at].soporte) is not None),
        modulo=_pedido(opened[xml]) if xml is not None and rips is None else None,
    )
    there = [at for at in (xml, rips, answer, cuv, *supports[:1]) if at is not None]
    main = there[0]
    record = rips if rips is not None else main
    owners = {Fuente.FEV: main, **dict.fromkeys(_OF_RIPS, record)}
    owners[Fuente.CUV] = cuv if cuv is not None else main
    owners[Fuente.RESPUESTA] = answer if answer is not None else main
    owners[Fuente.SOPORTE] = record
    return _Juego(package, owners, supports)


def _pedido(one: Abierto) -> Modulo | None:
    """Return the call that a request without RIPS is: of capitation it starts the contract; else its documents tell."""
    alone = one.archivo.tipo is Tipo.SOLICITUD and one.rips is None
    fev = one.xml.fev if one.xml is not None else None
    starts = alone and fev is not None and fev.kind is Documento.FACTURA and fev.modalidad_pago == "03"
    return Modulo.CAPITA_INICIAL if starts else None


def _owner(game: _Juego, finding: Hallazgo) -> int:
    """Return the file in which a finding lands."""
    if finding.fuente is Fuente.SOPORTE and finding.ruta:
        names = rutas(game.paquete.soportes)
        named = [at for at, name in zip(game.soportes, names, strict=True) if finding.ruta.startswith(name)]
        if named:
            return named[0]
    return game.duenos[finding.fuente]


def _day(package: Paquete, encargo: Encargo) -> date:
    """Return the day whose rules are in force: asked, of the CUV, of the invoice, of the last service, or today."""
    if encargo.fecha is not None:
        return encargo.fecha
    if package.cuv is not None and package.cuv.at is not None and _is_of(package.cuv, package):
        return package.cuv.at.date()
    if package.fev is not None and package.fev.issue_date is not None:
        return package.fev.issue_date
    if package.rips is not None:
        last = read_rips(package.rips).last
        if last is not None:
            return last.date()
    return encargo.ahora.date()


def _is_of(cuv: CuvResult, package: Paquete) -> bool:
    """Say whether an answer of the MUV can be of a package: it names no other number."""
    own = [package.fev.number, *(one.number for one in package.fev.references)] if package.fev is not None else []
    own += [str(package.rips.get(name) or "") for name in ("numFactura", "numNota")] if package.rips is not None else []
    said, numbers = parse_invoice_number(cuv.number), [one for one in map(parse_invoice_number, own) if one]
    return said is None or not numbers or any(same_invoice(said, one) is not Match.DIFFERENT for one in numbers)


def _read(one: Abierto, encargo: Encargo) -> list[Hallazgo]:
    """Tell what reading alone showed."""
    shown = list(one.hallados)
    if one.problema is not None and one.archivo.tipo is not Tipo.SOPORTE:
        values = {"mensaje": one.problema.mensaje, "arreglo": one.problema.arreglo or "Revise el archivo."}
        shown.append(Hallado("LEC-DESCONOCIDO" if one.problema.ajeno else "LEC-ILEGIBLE", "", values))
    told = list(_told(shown, encargo))
    return [*told, *_del_ministerio(one.cuv)] if one.cuv is not None else told


def _say_once(found: list[list[Hallazgo]], answers: Sequence[int]) -> None:
    """Leave out of the answers of the MUV what the documents themselves are told: same code, same place."""
    told = {(one.codigo, one.ruta) for at, some in enumerate(found) if at not in answers for one in some}
    for at in answers:
        found[at] = [one for one in found[at] if (one.codigo, one.ruta) not in told]


def _del_ministerio(cuv: CuvResult) -> Iterable[Hallazgo]:
    """Tell each rejection of an answer of the MUV under the Ministry's own code and place."""
    for line in islice(cuv.rejections, MAX_LUGARES):
        said = f": «{_plain(line.descripcion).rstrip('.')}»" if line.descripcion else ""
        yield Hallazgo(
            codigo=_plain(line.codigo),
            clase=Clase.RECHAZO,
            ruta=_plain(line.lugar or ""),
            mensaje=f"El Ministerio rechazó el paquete con esta regla{said}.",
            arreglo="Corrija lo que señala la regla en el documento y valide de nuevo en el MUV.",
            quien=Quien.FACTURACION,
            fuente=Fuente.CUV,
            norma="Res. 948 de 2026 art. 3",
        )


def _plain(text: str) -> str:
    """Return words that came from outside, without control characters and at a readable length."""
    return "".join(char for char in text if char.isprintable())[:_LONGEST]


def _told(shown: Iterable[Hallado], encargo: Encargo) -> Iterable[Hallazgo]:
    return contar(shown, encargo.fecha or encargo.ahora.date())


def _result(one: Abierto, found: Iterable[Hallazgo], cuv: CuvResult | None) -> dict[str, Any]:
    findings = _once(found)
    if one.problema is not None:
        state = ILEGIBLE
    else:
        state = CON_HALLAZGOS if any(each.clase is not Clase.NO_DECIDIBLE for each in findings) else VALIDO
    return {
        "ruta": one.archivo.ruta,
        "tipo": one.archivo.tipo.value,
        "estado": state,
        "factura": _factura(one),
        "cuv": _cuv(one.cuv or cuv) if one.archivo.tipo is not Tipo.DESCONOCIDO else None,
        "firma": {name: verdict.estado.value for name, verdict in firmas(one.xml).items()} if one.xml else {},
        "hallazgos": [_finding(each) for each in findings],
    }


def _finding(one: Hallazgo) -> dict[str, Any]:
    return {
        "codigo": one.codigo,
        "severidad": one.clase.value,
        "ruta": one.ruta,
        "mensaje": one.mensaje,
        "arreglo": one.arreglo,
        "quien": one.quien.value,
        "documento": one.fuente.value,
        "linea": one.linea,
        "norma": one.norma,
    }


_WEIGHT = {Clase.RECHAZO: 0, Clase.NOTIFICACION: 1, Clase.AVISO: 2, Clase.NO_DECIDIBLE: 3}


def _once(found: Iterable[Hallazgo]) -> list[Hallazgo]:
    """Return each finding once, the heaviest first; what the rules said of a place is not said again by the reader."""
    by_key = {(one.codigo, one.clase, one.ruta, one.mensaje, one.linea): one for one in found}
    ruled = [one for one in by_key.values() if one.clase is Clase.RECHAZO and not one.codigo.startswith("LEC-")]
    said = {one.ruta.removeprefix("rips.") for one in ruled}
    kept = [one for one in by_key.values() if not (one.codigo == "LEC-VALOR" and one.ruta in said)]
    return sorted(kept, key=lambda one: _WEIGHT[one.clase])


def _factura(one: Abierto) -> dict[str, str | None]:
    """Return what the document says of its invoice; None for what it does not say."""
    says: dict[str, str | None] = dict.fromkeys(_FACTURA)
    fev = one.xml.fev if one.xml is not None else None
    if fev is not None:
        says |= {
            "numero": fev.number,
            "cufe": fev.cufe,
            "nit_emisor": fev.supplier.nit.number if fev.supplier.nit else None,
            "nit_adquiriente": fev.customer.nit.number if fev.customer.nit else None,
            "fecha_expedicion": fev.issue_date.isoformat() if fev.issue_date else None,
            "valor_bruto": _pesos(fev.line_extension),
            "valor_anticipos": _pesos(fev.prepaid),
            "valor_pagar": _pesos(fev.payable),
            "tipo_operacion": fev.operation,
            "ambiente": fev.environment,
        }
        return says
    answer = one.xml.respuesta if one.xml is not None else None
    says["nit_emisor"] = one.archivo.nit
    if answer is not None:
        says["numero"], says["cufe"] = answer.number, answer.cufe
    elif one.resumen is not None:
        says["numero"] = one.resumen.number
    elif one.cuv is not None:
        says["numero"] = one.cuv.number
    elif one.archivo.numeros:
        says["numero"] = one.archivo.numeros[0].text
    return says


def _cuv(cuv: CuvResult | None) -> dict[str, Any] | None:
    if cuv is None:
        return None
    return {
        "aceptado": cuv.accepted,
        "cuv": cuv.cuv,
        "numero": cuv.number,
        "proceso": cuv.process,
        "fecha": cuv.at.isoformat() if cuv.at else None,
    }


def _pesos(amount: Decimal | None) -> str | None:
    return None if amount is None else str(round_money(amount))


Juez = Callable[[Sequence[Archivo]], list[dict[str, Any]]]
"""Judges one group; what a process of the batch does."""
