"""One sale document as the rules of the XML look at it: each element found once, by local name.

Invariant: nothing is searched twice in the whole tree, and real namespaces do not matter (the block of sector salud
comes in the invoice's, in an empty one and in invented ones). Reading never fails: what is not there is None. Norms:
DIAN annex 1.9; Res. 948 de 2026, technical document 2, sections 4 to 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from radica.facturas.cuv import CuvResult
from radica.facturas.fev import Clase, Fev
from radica.facturas.texts import clean
from radica.facturas.ubl import line_of, local_name
from radica.facturas.validacion.modelo import Contexto, DocumentoXml, Hallado, Modulo, Paquete

ACREDITAN = frozenset({"SS-CUFE", "SS-CUDE", "SS-POS", "SS-SNUM"})
"""Operations that subtract what the patient paid (*método de cálculo del sector salud*)."""
NO_ACREDITAN = frozenset({"SS-REPORTE", "SS-SINAPORTE"})
OPERACIONES = ACREDITAN | NO_ACREDITAN | {"SS-RECAUDO"}
"""The seven of table tipoOperacionSalud, in capitals (technical document 2, section 9)."""

CAMPOS = frozenset(
    {
        "CODIGO_PRESTADOR",
        "MODALIDAD_PAGO",
        "COBERTURA_PLAN_BENEFICIOS",
        "NUMERO_CONTRATO",
        "NUMERO_POLIZA",
        "FACTURA_SIN_CONTRATO",
    }
)
"""Fields of the block since Res. 2275 de 2023; the last one since Res. 948 de 2026."""

_VACIOS = frozenset({"", "NA", "N/A", "N.A", "N.A.", "NO APLICA", "NINGUNO", "NINGUNA", "NULL", "0", "-", "."})


@dataclass(frozen=True)
class Campo:
    """One AdditionalInformation of the block of sector salud: its written name, its value and the code of its table."""

    nombre: str
    elemento: etree._Element = field(repr=False)
    valor: str | None = field(repr=False)
    codigo: str | None

    @property
    def dice_algo(self) -> bool:
        """Say whether the value is more than a filler: real invoices write NA or 0 where the norm says empty."""
        return (self.valor or "").upper() not in _VACIOS

    @property
    def linea(self) -> int:
        """Line of the file."""
        return line_of(self.elemento)


@dataclass(frozen=True)
class Vista:
    """A sale document and the children of its root by local name."""

    xml: DocumentoXml
    raiz: etree._Element = field(repr=False)
    fev: Fev
    hijos: Mapping[str, list[etree._Element]] = field(repr=False)
    modulo: Modulo
    pedido: Modulo | None
    """The call of the MUV that somebody asked for, when somebody did."""
    enviada: bool
    """It is meant for the Ministry: a call, a RIPS or the Ministry's answer came along."""
    dichos: frozenset[str] | None
    """Codes of the Ministry's answer to this invoice that came along; None when none came."""

    def primero(self, nombre: str) -> etree._Element | None:
        """Return the first child of the root with that local name."""
        found = self.hijos.get(nombre)
        return found[0] if found else None

    @property
    def raiz_local(self) -> str:
        """Local name of the document: Invoice, CreditNote, DebitNote."""
        return local_name(self.raiz)

    @property
    def operacion(self) -> str:
        """The operation in capitals ("" when unsaid)."""
        return (self.fev.operation or "").upper()

    @property
    def es_recaudo(self) -> bool:
        """A receipt of what a patient paid, or the start of a capitation: no block of salud, no RIPS, no period asked."""
        return self.fev.es_recaudo

    @property
    def es_salud(self) -> bool:
        """Health document: by its operation, its block of salud, what came along, or a note, whose operation is mute."""
        if self.fev.kind is not Clase.FACTURA or self.enviada:
            return True
        return self.operacion in OPERACIONES or self.extension is not None

    @cached_property
    def extension(self) -> etree._Element | None:
        """The CustomTagGeneral of sector salud; exporters and makers write blocks of the same name beside it."""
        blocks = [
            found
            for holder in self.hijos.get("UBLExtensions", ())
            for content in holder.iterfind("{*}UBLExtension/{*}ExtensionContent")
            for found in content.iter("{*}CustomTagGeneral")
        ]
        ours = [one for one in blocks if de_salud(one)]
        if ours:
            return ours[0]
        return blocks[0] if blocks and self.operacion in OPERACIONES else None

    @cached_property
    def campos(self) -> Mapping[str, Campo]:
        """Fields of the block by name in capitals, over all its Collections; of several, the first that says something.

        In the historical form the block is repeated per user.
        """
        found: dict[str, Campo] = {}
        for one in self._todos():
            key = one.nombre.upper()
            if key not in found or (found[key].valor is None and found[key].codigo is None):
                found[key] = one
        return found

    def _todos(self) -> Iterator[Campo]:
        block = self.extension
        for item in block.iter("{*}AdditionalInformation") if block is not None else ():
            name = texto(item.find("{*}Name"))
            if name:
                value = item.find("{*}Value")
                code = clean(value.get("schemeID")) if value is not None else None
                yield Campo(name, item, texto(value), code)


def de_salud(block: etree._Element) -> bool:
    """Say whether a block is that of the health sector: by who answers for it, the name of its group or its fields."""
    if any(word in (texto(one) or "").lower() for one in block.iterfind("{*}Value") for word in ("minsalud", "sispro")):
        return True
    if any("salud" in (group.get("schemeName") or "").lower() for group in block.iter("{*}Group")):
        return True
    names = (texto(name) for name in block.iterfind(".//{*}AdditionalInformation/{*}Name"))
    return any((name or "").upper() in CAMPOS for name in names)


def mirar(paquete: Paquete, contexto: Contexto) -> Vista | None:
    """Return the view of the package's sale document; None when there is none."""
    xml = paquete.xml
    if xml is None or xml.fev is None or xml.principal is None:
        return None
    children: dict[str, list[etree._Element]] = {}
    for child in xml.principal:
        children.setdefault(local_name(child), []).append(child)
    said = _dichos(paquete.cuv) if paquete.cuv is not None else None
    sent = paquete.modulo is not None or paquete.rips is not None or said is not None
    return Vista(xml, xml.principal, xml.fev, children, contexto.modulo, paquete.modulo, sent, said)


def _dichos(cuv: CuvResult) -> frozenset[str] | None:
    """Return the codes of an answer; None when it neither accepts nor says why not."""
    return frozenset(line.codigo for line in cuv.results) if cuv.accepted or cuv.rejections else None


def texto(elemento: etree._Element | None) -> str | None:
    """Return the clean text of an element; None when it is missing or blank."""
    return clean(elemento.text) if elemento is not None else None


def hallar(codigo: str, donde: etree._Element | None, /, ruta: str = "", variante: str = "", **valores: str) -> Hallado:
    """Make a finding at an element (its line is that of the file)."""
    line = line_of(donde) if donde is not None else None
    return Hallado(codigo, ruta, valores, variante, line)
