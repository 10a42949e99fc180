"""What a layout is: its columns with what they must hold, its signature, its habits and its hooks.

Invariant: a layout is data; what it does beyond the common way of reading stands in `preparar` (the texts above the
header), `ajustar` (one row) and `cerrar` (the whole table), and none of them ever makes up a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from radica.glosas.lectura.fechas import Orden
from radica.glosas.lectura.tipos import LineaLeida, NoLeida, TipoLinea
from radica.glosas.lectura.titulos import clave
from radica.glosas.lectura.valores import Duda


class Clase(StrEnum):
    """What the cells of a column must be."""

    FACTURA = "números de factura"
    CODIGO = "códigos de glosa"
    DINERO = "valores en dinero"
    FECHA = "fechas"
    TEXTO = "texto"


class ReglaCodigo(StrEnum):
    """How a layout's numeric codes are understood."""

    MANUAL = "manual"  # 203 is the code of Res. 3047 that it looks like
    HOMOLOGAR = "homologar"  # 203 stands for its heir of the Manual Único: the payer's own habit
    ADRES = "adres"  # four digits of the ADRES's own list


@dataclass(frozen=True, slots=True)
class Campo:
    """A column: the field of `Datos` it fills, its known titles (first present wins) and what it must hold.

    `patrones` are regular expressions over the key of a title, for sheets that no program wrote. `ocurrencia` 2 is the
    second column with the same title. `firma` columns make the signature; `obligatorio`
    ones must be there.
    """

    nombre: str
    titulos: tuple[str, ...]
    clase: Clase = Clase.TEXTO
    obligatorio: bool = False
    firma: bool = True
    ocurrencia: int = 1
    patrones: tuple[str, ...] = ()

    @property
    def claves(self) -> tuple[str, ...]:
        """The titles as they are compared."""
        return tuple(clave(title) for title in self.titulos)


def campo(
    nombre: str,
    *titulos: str,
    clase: Clase = Clase.TEXTO,
    firma: bool = True,
    obligatorio: bool = False,
    n: int = 1,
    patrones: tuple[str, ...] = (),
) -> Campo:
    """Write a column of a layout on one line."""
    return Campo(nombre, titulos, clase, obligatorio, firma, n, patrones)


@dataclass(slots=True)
class Datos:
    """One row as its columns gave it, before it becomes a line. Money in centavos."""

    fila: int
    factura: str = ""
    prefijo: str = ""
    codigo: str = ""
    codigo_general: str = ""
    valor: int | None = None
    fecha_notificacion: date | None = None
    fecha_radicacion: date | None = None
    fecha_factura: date | None = None
    radicado: str = ""
    numero_glosa: str = ""
    servicio: str = ""
    descripcion_servicio: str = ""
    valor_servicio: int | None = None
    valor_unitario: int | None = None
    cantidad: str = ""
    valor_factura: int | None = None
    motivo: str = ""
    observacion: str = ""
    paciente_documento: str = ""
    situacion: str = ""
    levantado: int | None = None
    ratificado: int | None = None
    aceptado: int | None = None
    otro_valor: int | None = None
    enlace: str = ""
    tipo_elemento: str = ""
    causal_devolucion: str = ""
    tipo: TipoLinea | None = None
    avisos: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Detalle:
    """An item of a companion file, found by its id: what the objection's own file does not say."""

    servicio: str
    descripcion: str
    valor: int | None


@dataclass(slots=True)
class Contexto:
    """What a row may look at beyond itself: the file's name, the texts above the header, a companion file."""

    archivo: str
    hoja: str
    hoy: date
    previo: tuple[str, ...] = ()
    detalles: Mapping[str, Detalle] = field(default_factory=dict)
    avisos: list[str] = field(default_factory=list)
    # What `preparar` finds: whether the file brings decisions, the radicado above the header; `marcas` are rows that
    # `ajustar` wants `cerrar` to look at.
    decision: bool = False
    radicado: str = ""
    marcas: set[int] = field(default_factory=set)

    def avisar(self, words: str) -> None:
        """Tell the person who loads the file, once."""
        if words not in self.avisos:
            self.avisos.append(words)


Preparar = Callable[[Contexto], None]
Ajustar = Callable[[Datos, Contexto], Duda | None]
Cerrado = tuple[list[LineaLeida], list[NoLeida]]
Cerrar = Callable[[list[LineaLeida], list[NoLeida], Contexto], Cerrado]


@dataclass(frozen=True)
class Formato:
    """A layout. `pagador` is its name in the catalogue of payers; `archivo` and `titulo` are regular expressions over
    the file's and sheet's names and over the texts above the header. `habito` settles dates that their column does not.
    """

    nombre: str
    etiqueta: str
    campos: tuple[Campo, ...]
    pagador: str = ""
    archivo: str = ""
    titulo: str = ""
    habito: Orden | None = Orden.DIA_MES
    codigos: ReglaCodigo = ReglaCodigo.MANUAL
    minimo: float = 0.6
    tope: int = 100
    acumulado: bool = False
    columnas_fijas: int = 0
    sin_valor: bool = False
    preparar: Preparar | None = None
    ajustar: Ajustar | None = None
    cerrar: Cerrar | None = None

    @property
    def firma(self) -> tuple[Campo, ...]:
        """The columns by which the layout is known."""
        return tuple(one for one in self.campos if one.firma)
