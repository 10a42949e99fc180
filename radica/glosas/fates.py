"""What becomes of a line that was read: loaded, the same as before, applied, or put before a person with the reason.

Invariant: each doubt has one coded outcome and none of them moves money: unknown or doubtful invoice, other payer,
future date, notice before filing, changed value, return mixed with glosas, a decision on what was never glossed.
Norms: Res. 2284/2023 art. 6 (one return an invoice, never mixed with glosas); Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache

from radica.facturas.states import EstadoFactura
from radica.glosas import codes
from radica.glosas.codes import Manual
from radica.glosas.fingerprint import SPECIFIC, Existente, Par, Rasgos, alike, next_ordinal, pair, rasgos, retold
from radica.glosas.lectura.carta import leida_por_ocr
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea
from radica.glosas.matching import CruceFactura, CruceItem, FacturaRef
from radica.glosas.models import DestinoLinea
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.money import MAX_CENTS, format_cop

MAX_CODE = 12
_BLOCK_GLOSAS = frozenset(set(EstadoDevolucion) - {EstadoDevolucion.ANULADA, EstadoDevolucion.LEVANTADA})
"""While a return stands, or was accepted, its invoice is not audited line by line."""
DONE = (DestinoLinea.CARGADA, DestinoLinea.REPETIDA, DestinoLinea.APLICADA)
"""Fates after which nobody has to do anything with a line."""
_CLOSED_GLOSAS = frozenset({EstadoGlosa.LEVANTADA_TOTAL, EstadoGlosa.ANULADA})


@dataclass(frozen=True, slots=True)
class Aviso:
    """The notice of which a line came: ids, its payer, when it truly arrived and according to whom."""

    id: int
    prestador_id: int
    pagador_id: int | None
    sha256: str
    recibida_at: datetime
    segun: str


@dataclass(slots=True)
class Linea:
    """A line on its way: what was read, what it was matched to, and in the end its fate.

    `fila_id` is its row when it stands in the tray already. `permitidas` are the coded reasons that a person set
    aside, and `notificada` the true day of notice by that person's word.
    """

    leida: LineaLeida
    cruce: CruceFactura
    item: CruceItem | None = None
    fila_id: int | None = None
    permitidas: frozenset[str] = frozenset()
    notificada: date | None = None
    traits: Rasgos = field(init=False)
    destino: DestinoLinea | None = None
    razon: str | None = None
    motivo: str | None = None
    avisos: list[str] = field(default_factory=list)
    glosa_id: int | None = None
    devolucion_id: int | None = None
    huella: str | None = None
    valor_nuevo: int | None = None

    def __post_init__(self) -> None:
        """Take the traits that tell objections apart."""
        self.traits = line_traits(self.leida)

    @property
    def factura(self) -> FacturaRef:
        """The invoice; only for lines that have one."""
        assert self.cruce.factura is not None
        return self.cruce.factura

    def end(self, destino: DestinoLinea, razon: str | None = None, motivo: str | None = None) -> None:
        """Give the line its fate."""
        self.destino, self.razon, self.motivo = destino, razon, motivo

    def ask(self, razon: str, motivo: str) -> bool:
        """Put the line before a person, unless one already set this reason aside; say whether it was put."""
        if razon in self.permitidas:
            self.avisos.append(motivo)
            return False
        self.end(DestinoLinea.POR_DECIDIR, razon, motivo)
        return True


@dataclass(slots=True)
class Standing:
    """What stands on the invoices of one batch.

    `own` are ids of glosas that other lines of the same notice hold; a return has its id (0: born in this batch),
    state and the codes of its causes in comparable form.
    """

    glosas: Mapping[int, Sequence[Existente]]
    estados: Mapping[int, EstadoGlosa]
    devoluciones: dict[int, tuple[int, EstadoDevolucion, frozenset[str]]]
    taken: set[str]
    own: Collection[int]


def line_traits(one: LineaLeida) -> Rasgos:
    """Return what tells a line from others of its invoice."""
    return rasgos(codigo_de(one)[0], one.numero_glosa, one.servicio, one.descripcion_servicio, one.paciente_documento)


def names_service(one: LineaLeida) -> bool:
    """Say whether a line names what a service of the RIPS could be found by."""
    told = one.servicio or one.descripcion_servicio or one.paciente_documento
    return one.tipo is TipoLinea.GLOSA and bool(told)


def codigo_de(line: LineaLeida) -> tuple[str, Manual, str]:
    """Return code, manual and family under which a line is kept; manual `otro` without family for an unknown code."""
    return _kept_code(line.codigo, line.codigo_original)


@lru_cache(maxsize=2_048)
def _kept_code(code: str | None, written: str) -> tuple[str, Manual, str]:
    found = codes.buscar(code) if code else None
    if found is None:
        return (code or written).strip()[:MAX_CODE], Manual.OTRO, ""
    return found.codigo, found.manual, found.familia


def notified(line: Linea, notice: Aviso) -> tuple[datetime, str]:
    """Return the true instant of notice and by whose word: mail or person, else the file's column, else the loading."""
    if line.notificada is not None:
        return datetime.combine(line.notificada, time(0), BOGOTA), "persona"
    if notice.segun in ("correo", "persona"):
        return notice.recibida_at, notice.segun
    if line.leida.fecha_notificacion is not None:
        return datetime.combine(line.leida.fecha_notificacion, time(0), BOGOTA), "archivo"
    return notice.recibida_at, "carga"


def settle_first(line: Linea, notice: Aviso, today: date) -> None:
    """Decide what follows from the line, its invoice and the calendar alone; leave `destino` None when it may go on."""
    read, cruce = line.leida, line.cruce
    line.avisos += [*read.avisos, *cruce.avisos]
    if cruce.factura is None:
        line.end(DestinoLinea.SIN_CRUZAR, cruce.razon, cruce.motivo)
        return
    if not 0 <= read.valor <= MAX_CENTS:
        line.end(
            DestinoLinea.POR_DECIDIR, "valor_imposible", "El valor es negativo o más grande que cualquier factura."
        )
        return
    if not (_payer_fits(line, notice) and _dates_fit(line, notice, today)):
        return
    if cruce.factura.estado == EstadoFactura.ANULADA and line.ask(
        "factura_anulada", f"La factura {cruce.factura.numero} está anulada: no hay qué glosar."
    ):
        return
    if cruce.factura.radicada is None:
        line.avisos.append(f"La factura {cruce.factura.numero} no consta radicada: su término se cuenta sin esa fecha.")
    found = codes.buscar(read.codigo) if read.codigo else None
    if found is None:
        line.avisos.append(
            f"El código «{read.codigo_original.strip()[:20]}» no está en ningún manual; se cargó como vino."
            if read.codigo_original.strip()
            else "La línea no trae código de glosa."
        )
    elif (found.tipo == "devolucion") != (read.tipo is TipoLinea.DEVOLUCION) and read.tipo in (
        TipoLinea.GLOSA,
        TipoLinea.DEVOLUCION,
    ):
        what = "de devolución" if found.tipo == "devolucion" else "de glosa"
        if line.ask("tipo_dudoso", f"El código {found.codigo} es {what} y la línea vino como {read.tipo.value}."):
            return
    if leida_por_ocr(read):
        line.ask("leida_por_ocr", "Se leyó por OCR de una imagen: compárela con la carta antes de cargarla.")


def _payer_fits(line: Linea, notice: Aviso) -> bool:
    payer = line.factura.pagador_id
    if payer is None and notice.pagador_id is None:
        line.end(DestinoLinea.POR_DECIDIR, "sin_pagador", "Ni la factura ni el archivo dicen quién es el pagador.")
        return False
    if payer is not None and notice.pagador_id not in (None, payer):
        return not line.ask("otro_pagador", f"La factura {line.factura.numero} es de otro pagador que este archivo.")
    return True


def _dates_fit(line: Linea, notice: Aviso, today: date) -> bool:
    said = line.leida.fecha_notificacion if line.notificada is None else line.notificada
    if said is not None and said > today:
        # Nobody may set it aside: a term would begin in the future. The person corrects the date.
        line.end(DestinoLinea.POR_DECIDIR, "fecha_futura", f"La fecha de notificación es futura: {said:%d/%m/%Y}.")
        return False
    filed = line.factura.radicada
    first = min(day for day in (said, civil_date(notified(line, notice)[0])) if day is not None)
    if filed is not None and first < filed:
        return not line.ask(
            "notificada_antes",
            f"Se notificó el {first:%d/%m/%Y}, antes de radicada la factura ({filed:%d/%m/%Y}).",
        )
    return True


def settle_objections(lines: Sequence[Linea], notice: Aviso, standing: Standing) -> None:
    """Decide glosas and returns of one batch against what stands; all lines of a group of equal ones come together."""
    groups: dict[tuple[int, tuple[str, ...]], list[Linea]] = {}
    for line in lines:
        if line.destino is not None:
            continue
        if line.leida.tipo is TipoLinea.DEVOLUCION:
            _settle_return(line, standing)
        elif line.leida.tipo is TipoLinea.GLOSA:
            groups.setdefault((line.factura.id, line.traits.clave), []).append(line)
    indexes: dict[int, _Indice] = {}
    paired: list[tuple[Linea, Par, Existente | None, _Indice]] = []
    for (factura_id, clave), group in groups.items():
        index = indexes.get(factura_id)
        if index is None:
            index = indexes[factura_id] = _Indice(standing.glosas.get(factura_id, ()), standing.own)
        equal = index.by_key.get(clave, ())
        for line, (kind, one) in zip(group, pair([each.leida.valor for each in group], equal), strict=True):
            paired.append((line, kind, one, index))
            if one is not None:
                index.claimed.add(one.id)
    for line, kind, one, index in paired:
        _settle_glosa(line, kind, one, index, notice, standing)


class _Indice:
    """The objections of one invoice that other notices brought: by their key, by code and value, by concept and value.

    `claimed` are those that a line of this file is.
    """

    def __init__(self, rows: Sequence[Existente], own: Collection[int]) -> None:
        self.by_key: dict[tuple[str, ...], list[Existente]] = {}
        self.by_value: dict[tuple[str, int], list[Existente]] = {}
        self.by_concept: dict[tuple[str, int], list[Existente]] = {}
        self.claimed: set[int] = set()
        for one in rows:
            if one.id not in own:
                self.by_key.setdefault(one.traits.clave, []).append(one)
                self.by_value.setdefault((one.traits.codigo, one.valor), []).append(one)
                self.by_concept.setdefault((one.traits.codigo[:SPECIFIC], one.valor), []).append(one)

    def twin(self, line: Linea) -> Existente | None:
        """Return the objection that a line could be, told in another way; None when it is plainly a new one."""
        traits, value = line.traits, line.leida.valor
        found = alike(traits, value, self.by_value.get((traits.codigo, value), ()))
        if found is not None:
            return found
        near = self.by_concept.get((traits.codigo[:SPECIFIC], value), ())
        return retold(traits, value, [one for one in near if one.id not in self.claimed])


def _settle_return(line: Linea, standing: Standing) -> None:
    """Decide a line that returns the whole invoice."""
    held = standing.devoluciones.get(line.factura.id)
    if held is not None:
        id_, estado, causes = held
        line.devolucion_id = id_ or None
        if line.traits.codigo in causes and id_:
            line.end(DestinoLinea.REPETIDA)
        elif estado is not EstadoDevolucion.FORMULADA:
            # Nobody may set it aside: the norm admits one.
            why = f"La factura {line.factura.numero} ya fue devuelta y la norma sólo admite una devolución."
            line.end(DestinoLinea.POR_DECIDIR, "segunda_devolucion", why)
        return
    live = [
        one for one in standing.glosas.get(line.factura.id, ()) if standing.estados.get(one.id) not in _CLOSED_GLOSAS
    ]
    if live and line.ask(
        "factura_glosada", f"La factura {line.factura.numero} ya tiene glosas: no se mezclan con devolución."
    ):
        return
    standing.devoluciones[line.factura.id] = (0, EstadoDevolucion.FORMULADA, frozenset())


def _settle_glosa(
    line: Linea, kind: Par, one: Existente | None, index: _Indice, notice: Aviso, standing: Standing
) -> None:
    if one is not None:
        line.glosa_id = one.id
        if standing.estados.get(one.id) is EstadoGlosa.ANULADA:
            if line.ask("glosa_anulada", "Es la misma glosa que una persona anuló por registrada por error."):
                return
        elif kind is Par.IGUAL:
            line.end(DestinoLinea.REPETIDA)
            return
        elif _changed(line, kind, one):
            return
    else:
        twin = index.twin(line)
        if twin is not None and line.ask(
            "posible_repetida", "Puede ser una glosa ya cargada, contada de otra manera: mismo concepto y valor."
        ):
            line.glosa_id = twin.id
            return
    returned = standing.devoluciones.get(line.factura.id)
    if (
        returned is not None
        and returned[1] in _BLOCK_GLOSAS
        and line.ask("factura_devuelta", f"La factura {line.factura.numero} está devuelta: no se mezcla con glosas.")
    ):
        return
    payer = line.factura.pagador_id or notice.pagador_id
    assert payer is not None  # settle_first saw to it
    line.glosa_id = None
    _, line.huella = next_ordinal(standing.taken, notice.prestador_id, payer, line.factura.id, line.traits)
    standing.taken.add(line.huella)


def _changed(line: Linea, kind: Par, one: Existente) -> bool:
    """Put a changed value before a person; say whether it was put. An increase that was accepted goes on apart."""
    came, was = line.leida.valor, one.valor
    if kind is Par.MAYOR:
        if line.ask("mayor_valor", f"La misma glosa vino antes por {format_cop(was)} y ahora por {format_cop(came)}."):
            return True
        line.valor_nuevo = came - was
        return False
    line.end(
        DestinoLinea.POR_DECIDIR,
        "menor_valor",
        f"La misma glosa vino antes por {format_cop(was)} y ahora por {format_cop(came)}: puede ser un levantamiento.",
    )
    return True
