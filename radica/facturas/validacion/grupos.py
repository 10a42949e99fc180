"""Which files are of one invoice, so that they are judged together.

Invariant: nothing is guessed: files join by NIT and number (zeros and separators aside, `numbers.same_invoice`), by CUFE
or by CUV; a number without prefix, or a document without NIT, joins only when a single invoice of those given fits. What
fits no invoice is held against the only one that it can have been given for: an XML and a RIPS that are all there is,
an answer given with one invoice, a support in the folder of one. That they do not fit is then told.
Every file is in exactly one group, and the order in which files were given does not change the groups. Norms: DIAN
annex 1.9 (number = prefix + consecutive), Res. 948 de 2026 (RIPS and CUV of an invoice or note).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from radica.facturas.numbers import InvoiceNumber, Match, same_invoice
from radica.facturas.validacion.leer import CON_XML, Archivo, Tipo


@dataclass
class _Grupo:
    """Files of one invoice, note, or of nothing known."""

    numbers: list[InvoiceNumber]
    nit: str | None
    is_note: bool
    members: list[int] = field(default_factory=list)
    has_xml: bool = False
    has_rips: bool = False


@dataclass
class _Mesa:
    """The groups so far, by what leads to them."""

    groups: list[_Grupo] = field(default_factory=list)
    by_key: dict[tuple[str, bool, str], int] = field(default_factory=dict)
    by_digits: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_cufe: dict[str, int] = field(default_factory=dict)
    by_cuv: dict[str, int] = field(default_factory=dict)

    def put(self, index: int, one: Archivo, at: int | None, *, known: bool = True) -> None:
        """Put a file in a group, or in a new one; `known`: the file says which invoice the group is of."""
        if at is None:
            at = len(self.groups)
            self.groups.append(_Grupo([], one.nit, one.es_nota))
        group = self.groups[at]
        group.members.append(index)
        group.has_rips |= one.tipo in (Tipo.RIPS, Tipo.SOLICITUD)
        group.has_xml |= one.tipo in CON_XML or one.tipo is Tipo.SOLICITUD
        if known:
            for number in one.numeros:
                if number not in group.numbers:
                    group.numbers.append(number)
                self.by_key.setdefault((one.nit or "", one.es_nota, number.key), at)
                self.by_digits[number.digits].add(at)
            if one.cufe:
                self.by_cufe.setdefault(one.cufe, at)
        if one.cuv:
            self.by_cuv.setdefault(one.cuv, at)

    def same(self, one: Archivo) -> int | None:
        """Return the group of the very NIT, kind and number."""
        keys = ((one.nit or "", one.es_nota, number.key) for number in one.numeros)
        return next((self.by_key[key] for key in keys if key in self.by_key), None)

    def only(self, one: Archivo, *, notes: Iterable[bool]) -> int | None:
        """Return the single group that fits: of the same number if there is one, else of one that is possible.

        A RIPS joins on a possible number only the XML of an invoice: two RIPS that differ in a prefix are two. Notes,
        and RIPS without invoice, are numbered from 1 by everybody: a possible number says nothing of them.
        """
        allowed = frozenset(notes)
        near: dict[Match, set[int]] = {Match.SAME: set(), Match.POSSIBLE: set()}
        for number in one.numeros:
            for at in self.by_digits.get(number.digits, ()):
                group = self.groups[at]
                if group.is_note not in allowed or (one.nit and group.nit and one.nit != group.nit):
                    continue
                sure = not (one.es_nota or group.is_note) and (one.tipo is not Tipo.RIPS or group.has_xml)
                for match in {same_invoice(number, other) for other in group.numbers} & near.keys():
                    if sure or match is Match.SAME:
                        near[match].add(at)
        for found in (near[Match.SAME], near[Match.POSSIBLE]):
            if found:
                return next(iter(found)) if len(found) == 1 else None
        return None

    def strange(self, one: Archivo) -> int | None:
        """Return the single XML of the very number that still has no RIPS, though it names another NIT.

        Rule RVC001 of the Ministry is just that: a RIPS given with an invoice whose provider it does not name.
        """
        found = {
            at
            for number in one.numeros
            if number.prefix
            for at in self.by_digits.get(number.digits, ())
            for group in (self.groups[at],)
            if group.has_xml and not group.has_rips and group.is_note == one.es_nota
            if any(same_invoice(number, other) is Match.SAME for other in group.numbers)
        }
        return found.pop() if len(found) == 1 else None


def agrupar(archivos: Sequence[Archivo]) -> list[tuple[int, ...]]:
    """Return groups of positions, each in the order given; groups in the order of their first file."""
    mesa = _Mesa()
    turns: tuple[tuple[Tipo, ...], ...] = (
        (*CON_XML, Tipo.SOLICITUD),
        (Tipo.RIPS,),
        (Tipo.RESPUESTA,),
        (Tipo.CUV,),
        (Tipo.SOPORTE,),
        (Tipo.DESCONOCIDO,),
    )
    for kinds in turns:
        wanted = [(index, one) for index, one in enumerate(archivos) if one.tipo in kinds]
        # Those that say most first: what names provider and prefix opens the groups that the others may join.
        for index, one in sorted(wanted, key=lambda pair: _vagueness(pair[1])):
            mesa.put(index, one, _place(mesa, one), known=_opens(one))
    _lonely_pair(mesa, archivos)
    _lonely_answers(mesa, archivos)
    _by_folder(mesa, archivos)
    groups = [tuple(sorted(group.members)) for group in mesa.groups if group.members]
    return sorted(groups)


def _place(mesa: _Mesa, one: Archivo) -> int | None:
    if one.problema is not None and one.tipo is not Tipo.SOPORTE:
        return None
    if one.tipo in CON_XML or one.tipo is Tipo.SOLICITUD:
        return mesa.same(one)
    if one.tipo is Tipo.RIPS:
        for found in (mesa.same(one), mesa.only(one, notes=(one.es_nota,)), mesa.strange(one)):
            if found is not None:
                return found
        return None
    if one.tipo is Tipo.RESPUESTA:
        if one.cufe and one.cufe in mesa.by_cufe:
            return mesa.by_cufe[one.cufe]
        return mesa.only(one, notes=(False, True))
    if one.tipo is Tipo.CUV:
        if one.cuv and one.cuv in mesa.by_cuv:
            return mesa.by_cuv[one.cuv]
        return mesa.only(one, notes=(False, True))
    return mesa.only(one, notes=(False, True)) if one.tipo is Tipo.SOPORTE else None


def _opens(one: Archivo) -> bool:
    """Say whether a file tells of which invoice its group is, so that others may join it."""
    return one.problema is None and (one.tipo in CON_XML or one.tipo in (Tipo.SOLICITUD, Tipo.RIPS))


def _vagueness(one: Archivo) -> tuple[bool, bool, bool, str, str]:
    prefixed = any(number.prefix for number in one.numeros)
    return (not one.numeros, one.nit is None, not prefixed, one.numeros[0].key if one.numeros else "", one.nit or "")


def _lonely_pair(mesa: _Mesa, archivos: Sequence[Archivo]) -> None:
    """Join the only XML and the only RIPS of all that was given, of one NIT, whose numbers differ.

    Who gives just these two asks whether they fit, and that they do not is rule RVC004 of the Ministry.
    """
    opening = [group for group in mesa.groups if any(_opens(archivos[at]) for at in group.members)]
    if len(opening) != 2:
        return
    bill, record = sorted(opening, key=lambda group: group.has_rips)
    alone = bill.has_xml and not bill.has_rips and record.has_rips and not record.has_xml
    if alone and bill.nit and bill.nit == record.nit and bill.is_note == record.is_note and bill.numbers:
        bill.members += record.members
        mesa.groups.remove(record)


def _lonely_answers(mesa: _Mesa, archivos: Sequence[Archivo]) -> None:
    """Join answers of the MUV and of DIAN that fit no document to the only invoice of all that was given."""
    opening = [group for group in mesa.groups if any(_opens(archivos[at]) for at in group.members)]
    for group in mesa.groups if len(opening) == 1 and not opening[0].is_note else ():
        files = [archivos[at] for at in group.members]
        if all(one.tipo in (Tipo.CUV, Tipo.RESPUESTA) and one.problema is None for one in files):
            opening[0].members += group.members
            group.members = []


def _by_folder(mesa: _Mesa, archivos: Sequence[Archivo]) -> None:
    """Move supports whose name is of no invoice given to the one invoice whose files stand in the same folder."""
    owners: defaultdict[str, set[int]] = defaultdict(set)
    for at, group in enumerate(mesa.groups):
        for index in group.members:
            if _opens(archivos[index]):
                owners[_folder(archivos[index])].add(at)
    for group in mesa.groups:
        one = archivos[group.members[0]] if group.members else None
        if one is not None and len(group.members) == 1 and one.tipo is Tipo.SOPORTE:
            here = owners.get(_folder(one), set())
            if len(here) == 1:
                mesa.groups[next(iter(here))].members.append(group.members.pop())


def _folder(one: Archivo) -> str:
    return one.ruta.replace("\\", "/").rpartition("/")[0]
