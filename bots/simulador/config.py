"""Behaviour of a simulated portal: settings, fault rules and the seeded dice that decide when a fault strikes.

Invariant: with the same seed and the same order of visits the same faults strike. A ``Config`` value is never changed in
place; ``merge`` makes a new one and refuses unknown keys, so that a misspelt fault cannot silently test nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from random import Random
from threading import Lock
from typing import Any, Final, Literal

MODES: Final[Mapping[str, str]] = {
    "502_before_save": "final submit answers 502, nothing saved",
    "502_after_save": "final submit saves, then answers 502",
    "hang_after_save": "final submit saves, then never answers",
    "cut_connection_after_save": "final submit saves, then the connection is closed without one byte",
    "cut_connection_before_save": "connection closed without one byte, nothing saved",
    "popup_never_shown": "final submit saves and answers, but the page never shows the message",
    "stale_page": "saves, but the page shows the closing message of an earlier filing",
    "stale_page_before_save": "nothing saved, and the page shows the closing message of an earlier filing",
    "answer_without_number": "saves, the closing message carries no radicado",
    "reject": "final submit refused with a reason",
    "reject_validation": "p2: the asynchronous validation refuses the account with a reason",
    "maintenance": "every page answers 503",
    "error_500": "a page (not the final submit) answers 500",
    "captcha": "the login page asks for a captcha",
    "login_fails": "right credentials are refused",
    "session_lost": "a request finds its session gone, without notice",
    "missing_form_key": "p1: the form is served without its hidden key; a reload mends it",
    "upload_broken": "p2: the draft upload fails with 500 and can be repeated",
    "constancia_fails": "p2: the constancia download answers 500",
    "answer_account_taken": "p2 glosas: a colleague takes the account at the moment it is opened",
    "answer_file_refused": "p2 glosas: the file of an answer is refused, nothing is saved",
    "answer_not_kept": "p2 glosas: the answer of an item is said to be saved and is not",
    "answer_then_session_lost": "p2 glosas: the answer of an item is saved, then the session is gone",
    "answer_502_after_save": "p2 glosas: the answer of an item is saved, then 502",
    "answer_cut_after_save": "p2 glosas: the answer of an item is saved, then the connection is closed",
    "close_not_kept": "p2 glosas: the closing says yes and the account stays open",
}

Layout = Literal["v1", "v2"]
Acuse = Literal["popup", "pdf", "none"]


class ConfigError(ValueError):
    """A setting that no portal knows, or of the wrong type."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a fault strikes: the next ``next`` times, or with probability ``p``, only for ``invoices`` if given."""

    p: float = 0.0
    next: int = 0
    reason: str = ""
    invoices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """One login of the p2 portal. An empty ``nit`` means that the account may file for any provider."""

    usuario: str
    clave: str
    nit: str = ""
    nombre: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """An invoice the payer already holds from elsewhere (filed by hand, say); date as ISO text, payer's local time."""

    numero: str
    fecha: str = "2026-01-15T10:00:00"
    radicado: str = ""
    valor: str = ""
    nit: str = ""


DEFAULT_USERS: Final = (
    User("900000001", "clave-p2-demo", "900000001", "IPS CLÍNICA DEMOSTRACIÓN UNO S.A.S."),
    User("900000002", "clave-p2-demo2", "900000002", "IPS HOSPITAL DEMOSTRACIÓN DOS"),
    User("900000003", "clave-p2-demo3", "900000003", "IPS LABORATORIO DEMOSTRACIÓN TRES LTDA."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one portal. Durations in seconds unless the name says ``_ms``; sizes in bytes."""

    seed: int = 1
    payer_name: str = ""
    latency_ms: int = 0
    query_lag_s: float = 0.0
    clock_offset_s: float = 0.0
    session_ttl_s: float = 1200.0
    validation_s: float = 0.5
    button_disabled_s: float = 0.0
    code_delay_s: float = 0.3
    double_confirm: float = 0.5
    detect_duplicates: bool = True
    check_values: bool = True
    known: tuple[Known, ...] = ()
    users: tuple[User, ...] = DEFAULT_USERS
    nits: tuple[str, ...] = ()
    layout: Layout = "v1"
    acuse: Acuse | None = None
    max_file_bytes: int = 20 * 1024 * 1024
    max_total_bytes: int = 1024 * 1024 * 1024
    max_files: int = 300
    tls: bool = False
    errors: Mapping[str, Rule] = field(default_factory=dict)


_DURATIONS: Final = (
    "query_lag_s",
    "clock_offset_s",
    "session_ttl_s",
    "validation_s",
    "button_disabled_s",
    "code_delay_s",
)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys((*_DURATIONS, "double_confirm"), (int, float)),
    **dict.fromkeys(("seed", "latency_ms", "max_file_bytes", "max_total_bytes", "max_files"), (int,)),
    **dict.fromkeys(("detect_duplicates", "check_values", "tls"), (bool,)),
    "payer_name": (str,),
}


def parse_rule(value: Any) -> Rule | None:
    """The rule written as ``true``, an integer (next n), a fraction (probability) or a dict; ``None`` when off."""
    if value is None or value is False or value == 0:
        return None
    if value is True:
        return Rule(p=1.0)
    if isinstance(value, int):
        return Rule(next=value)
    if isinstance(value, float):
        return Rule(p=value)
    if not isinstance(value, Mapping) or set(value) - {"p", "next", "reason", "invoices"}:
        raise ConfigError(f"no es una regla de falla: {value!r}")
    invoices = tuple(str(number).strip().upper() for number in value.get("invoices", ()))
    upcoming = int(value.get("next", 0))
    # A rule that only names a reason or invoices means: always (for those).
    default_p = 0.0 if upcoming else 1.0
    return Rule(float(value.get("p", default_p)), upcoming, str(value.get("reason", "")), invoices)


def _parse(name: str, value: Any) -> Any:
    if name == "users":
        return tuple(User(**item) for item in value)
    if name == "known":
        return tuple(Known(item) if isinstance(item, str) else Known(**item) for item in value)
    if name == "nits":
        return tuple(str(nit) for nit in value)
    if name == "layout" and value not in ("v1", "v2"):
        raise ConfigError("layout: v1 o v2")
    if name == "acuse" and value not in ("popup", "pdf", "none", None):
        raise ConfigError("acuse: popup, pdf o none")
    expected = _TYPES.get(name)
    if expected is not None and (not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)):
        raise ConfigError(f"{name}: valor de otro tipo: {value!r}")
    return value


def merge(config: Config, changes: Mapping[str, Any]) -> Config:
    """A new configuration with ``changes`` laid over ``config``.

    Raises:
        ConfigError: an unknown key, an unknown fault mode or a value of the wrong type.
    """
    known = {item.name for item in fields(Config)}
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name in MODES:  # a fault may also be written at the top level
            values.setdefault("errors", dict(config.errors))
            _set_rule(values["errors"], name, value)
        elif name == "errors":
            values.setdefault("errors", dict(config.errors))
            for mode, rule in value.items():
                _set_rule(values["errors"], mode, rule)
        elif name in known:
            values[name] = _parse(name, value)
        else:
            raise ConfigError(f"el simulador no conoce «{name}»")
    return replace(config, **values)


def _set_rule(rules: dict[str, Rule], mode: str, value: Any) -> None:
    if mode not in MODES:
        raise ConfigError(f"el simulador no conoce la falla «{mode}»")
    rule = parse_rule(value)
    if rule is None:
        rules.pop(mode, None)
    else:
        rules[mode] = rule


def as_json(config: Config) -> dict[str, Any]:
    """The configuration as plain JSON values; the users' passwords are left out."""
    document = asdict(config)
    document["users"] = [{key: value for key, value in user.items() if key != "clave"} for user in document["users"]]
    return document


class Dice:
    """Decides, thread-safe and reproducibly, whether a fault strikes now, and counts ``next`` rules down."""

    def __init__(self, config: Config) -> None:
        self._lock = Lock()
        self._config = config
        self._visits: dict[str, int] = {}

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._config

    def merge(self, changes: Mapping[str, Any]) -> Config:
        """Lay ``changes`` over the configuration; raises ``ConfigError`` and then changes nothing."""
        with self._lock:
            self._config = merge(self._config, changes)
            return self._config

    def replace(self, config: Config) -> None:
        """Start again from ``config``, with no visit counted."""
        with self._lock:
            self._config = config
            self._visits.clear()

    def strikes(self, mode: str, invoices: tuple[str, ...] = ()) -> Rule | None:
        """The rule of ``mode`` if it strikes at this visit, else ``None``."""
        with self._lock:
            rule = self._config.errors.get(mode)
            if rule is None or (rule.invoices and not set(rule.invoices) & {number.upper() for number in invoices}):
                return None
            if rule.next:
                rest = {name: other for name, other in self._config.errors.items() if name != mode}
                if rule.next > 1:
                    rest[mode] = replace(rule, next=rule.next - 1)
                self._config = replace(self._config, errors=rest)
                return rule
            return rule if self._draw(mode) < rule.p else None

    def chance(self, name: str, p: float) -> bool:
        """One seeded draw that is true with probability ``p``."""
        with self._lock:
            return self._draw(name) < p

    def _draw(self, name: str) -> float:
        visit = self._visits.get(name, 0)
        self._visits[name] = visit + 1
        return Random(f"{self._config.seed}|{name}|{visit}").random()
