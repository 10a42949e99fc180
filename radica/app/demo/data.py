"""The seeded demonstration set: packages of FEV, RIPS, CUV and supports, right in every respect or wrong on purpose.

`generate` yields packages in memory, one by one (drills and benchmarks take hundreds); `build_set` writes them to a
folder, one sub-folder per invoice. The portal outcomes that no document decides (a payer that refuses, a payer that
gives no number) are marked in `expected`; who runs the simulated portals configures them for those invoices.
Invariant: same seed, number of packages, day and options → same bytes; with `defects=False` every package can be filed.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from random import Random

from radica.app.demo.bill import Bill, make_bill
from radica.app.demo.catalog import CONTRATO_DESCONOCIDO, P1, P2, PAYERS, PROVIDERS, Payer, Provider
from radica.app.demo.fev import bill_cufe, build_fev
from radica.app.demo.rips import build_cuv, build_rips, cuv_file_name
from radica.app.demo.servicios import CONSULTA, SCENARIOS_ACCIDENT, SCENARIOS_EPS, Scenario
from radica.app.demo.soportes import support_files
from radica.plazos.calendar import business_days_between

RADICADA = "radicada"
NO_LISTA = "no_lista"
RECHAZADA = "rechazada"
SIN_NUMERO = "recibida_sin_numero"
MANUAL = "manual"

# RAD-01 gives 22 business days; a package that must not lapse while the demo runs is at most this many old.
_OLDEST = 21
_LAPSED = 26


@dataclass(frozen=True)
class DemoPackage:
    """One invoice of the set and what must become of it.

    `value` is what the payer owes in pesos (PayableAmount), `gross` the bill before the patient's share. `expected` is
    radicada, no_lista, recibida_sin_numero, rechazada or manual; `defect` the code of what was broken, or None. `files`
    are paths relative to the folder of the set.
    """

    provider_nit: str
    payer_nit: str
    number: str
    value: Decimal
    gross: Decimal
    issued: date
    cufe: str
    cuv: str
    contract: str
    expected: str
    defect: str | None
    files: tuple[PurePosixPath, ...]


@dataclass(frozen=True)
class BuiltPackage:
    """A package with its bytes: relative path → content."""

    package: DemoPackage
    contents: dict[PurePosixPath, bytes]


@dataclass(frozen=True)
class DemoSet:
    """What `build_set` wrote: who bills, who pays and every package."""

    folder: Path
    providers: tuple[Provider, ...]
    payers: tuple[Payer, ...]
    packages: tuple[DemoPackage, ...]


Documents = dict[str, bytes]
Breaker = Callable[[Bill, Documents], None]


def _fev_name(bill: Bill) -> str:
    """File names differ by hospital system: one of them uses the DIAN's pattern, so content must decide, not names."""
    if bill.provider is PROVIDERS[1]:
        return f"ad{bill.provider.nit:0>10}000{bill.issued:%y}{bill.consecutive:08x}.xml"
    return f"FEV_{bill.provider.nit}_{bill.number}.xml"


def _rips_name(bill: Bill) -> str:
    return f"{bill.number}.json" if bill.provider is PROVIDERS[1] else f"RIPS_{bill.provider.nit}_{bill.number}.json"


def _documents(bill: Bill, pdf_kb: int | None) -> Documents:
    return {
        _fev_name(bill): build_fev(bill),
        _rips_name(bill): build_rips(bill),
        cuv_file_name(bill): build_cuv(bill),
        **support_files(bill, kb=pdf_kb),
    }


def _break_check_digit(bill: Bill, files: Documents) -> None:
    files[_fev_name(bill)] = build_fev(bill, supplier_dv=str((int(bill.provider.dv) + 3) % 10))


def _break_rips_total(bill: Bill, files: Documents) -> None:
    first, *rest = bill.charges
    files[_rips_name(bill)] = build_rips(replace(bill, charges=(replace(first, unit=first.unit + 10_000), *rest)))


def _drop_cuv(bill: Bill, files: Documents) -> None:
    del files[cuv_file_name(bill)]


def _foreign_cuv(bill: Bill, files: Documents) -> None:
    other = f"{bill.provider.prefix}{bill.consecutive + 90_000}"
    files[cuv_file_name(bill)] = build_cuv(replace(bill, number=other))


def _break_cufe_shape(bill: Bill, files: Documents) -> None:
    files[_fev_name(bill)] = build_fev(bill, cufe=bill_cufe(bill)[:-9] + "-SIN-CUFE")


def _drop_supports(_: Bill, files: Documents) -> None:
    """Take all of them: that one of several is missing is a matter of the agreement, none at all never is."""
    for name in [name for name in files if name.endswith(".pdf")]:
        del files[name]


def _break_line_sum(bill: Bill, files: Documents) -> None:
    files[_fev_name(bill)] = build_fev(bill, line_error=-5_000)


def _truncate_xml(bill: Bill, files: Documents) -> None:
    whole = files[_fev_name(bill)]
    files[_fev_name(bill)] = whole[: len(whole) * 3 // 5]


def _false_pdfs(bill: Bill, files: Documents) -> None:
    """What an archive writes into the files when it fails: every support is a message under the name of a PDF."""
    for name in [name for name in files if name.endswith(".pdf")]:
        files[name] = f"Error 504: el archivo clínico no entregó {name} de la factura {bill.number}.\r\n".encode()


def _nothing(bill: Bill, files: Documents) -> None:
    """The documents stay right: what is wrong is the date or what the payer says."""


@dataclass(frozen=True)
class Special:
    """A package that is wrong on purpose, or that the payer must treat in a special way."""

    expected: str
    defect: str | None
    breaker: Breaker
    payer: int
    scenario: Scenario
    age: int | None = None
    contract: str = ""


_CIRUGIA = SCENARIOS_ACCIDENT[1]
_HOSPITAL = SCENARIOS_EPS[4]
SPECIALS: tuple[Special, ...] = (
    # The lapsed ones come first: numbers and dates of one provider grow together.
    Special(NO_LISTA, "rad01_vencido", _nothing, 1, _HOSPITAL, age=_LAPSED + 3),
    Special(NO_LISTA, "rad01_vencido", _nothing, 0, CONSULTA, age=_LAPSED),
    Special(RECHAZADA, "rechazo_del_portal", _nothing, 0, SCENARIOS_EPS[1], contract=CONTRATO_DESCONOCIDO),
    Special(SIN_NUMERO, "sin_numero_del_portal", _nothing, 2, _CIRUGIA),
    Special(NO_LISTA, "total_fev_rips", _break_rips_total, 1, _HOSPITAL),
    Special(NO_LISTA, "cuv_ausente", _drop_cuv, 0, SCENARIOS_EPS[2]),
    Special(NO_LISTA, "soporte_ausente", _drop_supports, 0, _HOSPITAL),
    Special(NO_LISTA, "nit_dv", _break_check_digit, 1, CONSULTA),
    Special(NO_LISTA, "cuv_ajeno", _foreign_cuv, 1, SCENARIOS_EPS[1]),
    Special(NO_LISTA, "cufe_forma", _break_cufe_shape, 2, SCENARIOS_ACCIDENT[0]),
    Special(NO_LISTA, "suma_lineas", _break_line_sum, 0, SCENARIOS_EPS[5]),
    Special(NO_LISTA, "xml_truncado", _truncate_xml, 1, SCENARIOS_EPS[2]),
    Special(NO_LISTA, "pdf_falso", _false_pdfs, 0, CONSULTA),
)


def _as_zip(bill: Bill, files: Documents) -> Documents:
    """All files in one ZIP without folders (Res. 2284/2023, annex 2, 3.2), with the date of the invoice on each."""
    out = io.BytesIO()
    stamp = bill.issued.timetuple()[:6]
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, stamp), content, zipfile.ZIP_DEFLATED)
    return {f"{bill.provider.nit}_{bill.number}.zip": out.getvalue()}


def _as_muv_request(bill: Bill, files: Documents) -> Documents:
    """FEV and RIPS in the one JSON that the ministry's validator takes; the rest as it was."""
    xml, rips = files[_fev_name(bill)], files[_rips_name(bill)]
    request = {"rips": json.loads(rips), "xmlFevFile": base64.b64encode(xml).decode("ascii")}
    rest = {name: content for name, content in files.items() if content is not xml and content is not rips}
    return {f"CargarFevRips_{bill.number}.json": json.dumps(request, ensure_ascii=False).encode("utf-8"), **rest}


def _deliver(bill: Bill, files: Documents, index: int) -> Documents:
    """Files as hospital systems leave them: two in ten packages come as a ZIP or with a MUV request."""
    if index % 10 == 7:
        return _as_zip(bill, files)
    return _as_muv_request(bill, files) if index % 10 == 3 else files


def issue_day(hoy: date, used: int) -> date:
    """The latest day of which `used` business days have gone by on `hoy` (Colombian calendar of `plazos`)."""
    day = hoy
    while business_days_between(day, hoy) < used:
        day -= timedelta(days=1)
    return day


def _age(index: int, packages: int) -> int:
    """Business days that have run for the index-th package: from nearly due down to one, so that none is of the future."""
    return _OLDEST - (_OLDEST - 1) * index // max(1, packages - 1)


def _plan(packages: int, defects: bool) -> dict[int, Special]:
    """Positions of the special packages: spread over the first half places, never more than half of the set."""
    chosen = SPECIALS[: packages // 2] if defects else ()
    return {2 * place: special for place, special in enumerate(chosen)}


def _ordinary(index: int, payers: tuple[Payer, ...]) -> tuple[Payer, Scenario]:
    """Payer and scenario of an ordinary package: payers in turn, and the scenarios of each in turn."""
    payer = payers[index % len(payers)]
    turn = index // len(payers) + index % len(payers)
    options = SCENARIOS_EPS if payer.kind == "EPS" else SCENARIOS_ACCIDENT
    return payer, options[turn % len(options)]


def _eligible(archetypes: Collection[str] | None) -> tuple[Payer, ...]:
    chosen = tuple(payer for payer in PAYERS if archetypes is None or payer.archetype in archetypes)
    if not chosen:
        raise ValueError("no demo payer has one of those portals")
    return chosen


def generate(
    *,
    seed: int,
    packages: int,
    hoy: date,
    defects: bool = True,
    pdf_kb: int | None = None,
    archetypes: Collection[str] | None = None,
    scenario: Scenario | None = None,
    mixed_delivery: bool = False,
) -> Iterator[BuiltPackage]:
    """Yield `packages` packages, oldest first, each drawn from (seed, position) alone.

    `pdf_kb` pads every support to about that size (KiB). `archetypes` keeps only payers with those portals
    (`demo_catalog.P1`, `P2`) and `scenario` makes all ordinary bills alike (`CONSULTA` has three supports): for drills
    and benchmarks. `mixed_delivery` hands some packages over as ZIP or MUV request instead of loose files. Raises ValueError when no payer is left.
    """
    payers = _eligible(archetypes)
    plan = _plan(packages, defects)
    for index in range(packages):
        rng = Random(f"{seed}|{index}")
        special = plan.get(index)
        payer, drawn = _ordinary(index, payers)
        if special is not None and PAYERS[special.payer] not in payers:
            special = None
        bill = make_bill(
            rng,
            provider=PROVIDERS[(index // len(PAYERS) + index) % len(PROVIDERS)],
            payer=PAYERS[special.payer] if special else payer,
            scenario=special.scenario if special else scenario or drawn,
            index=index,
            issue_day=issue_day(hoy, special.age if special and special.age else _age(index, packages)),
            contract=special.contract if special else "",
        )
        files = _documents(bill, pdf_kb)
        if special is not None:
            special.breaker(bill, files)
        yield _built(bill, special, _deliver(bill, files, index) if mixed_delivery else files)


def _built(bill: Bill, special: Special | None, files: Documents) -> BuiltPackage:
    home = PurePosixPath(bill.provider.nit, bill.number)
    contents = {home / name: content for name, content in files.items()}
    ordinary = RADICADA if bill.payer.archetype in (P1, P2) else MANUAL
    package = DemoPackage(
        provider_nit=bill.provider.nit,
        payer_nit=bill.payer.nit,
        number=bill.number,
        value=bill.value,
        gross=Decimal(bill.gross).quantize(Decimal("0.01")),
        issued=bill.issued.date(),
        cufe=bill_cufe(bill),
        cuv=bill.cuv,
        contract=bill.contract,
        expected=special.expected if special else ordinary,
        defect=special.defect if special else None,
        files=tuple(contents),
    )
    return BuiltPackage(package, contents)


def write_package(folder: Path, built: BuiltPackage) -> None:
    """Write the files of one package under `folder`."""
    for path, content in built.contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def build_set(
    folder: Path,
    *,
    seed: int,
    packages: int,
    hoy: date,
    defects: bool = True,
    pdf_kb: int | None = None,
    archetypes: Collection[str] | None = None,
    scenario: Scenario | None = None,
    mixed_delivery: bool = False,
) -> DemoSet:
    """Write the set under `folder` (made when missing) as `<NIT>/<invoice>/<file>` and say what it contains.

    Arguments as in `generate`. Existing files of the same name are replaced, others stay.
    """
    written = []
    for built in generate(
        seed=seed,
        packages=packages,
        hoy=hoy,
        defects=defects,
        pdf_kb=pdf_kb,
        archetypes=archetypes,
        scenario=scenario,
        mixed_delivery=mixed_delivery,
    ):
        write_package(folder, built)
        written.append(built.package)
    return DemoSet(folder, PROVIDERS, PAYERS, tuple(written))
