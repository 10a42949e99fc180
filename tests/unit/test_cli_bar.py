"""The progress bar shows nothing for what is quick, and never a moving bar where nobody watches."""

from __future__ import annotations

import io

import pytest

from radica.app.cli import bar
from radica.app.cli.bar import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_quick_shows_nothing() -> None:
    out = Terminal()
    with Bar("Importando", out=out) as shown:
        shown.show(1, 2)
        shown.show(2, 2)
    assert out.getvalue() == ""


def test_a_terminal_sees_a_bar_that_ends_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "QUIET_S", 0.0)
    monkeypatch.setattr(bar, "REDRAW_S", 0.0)
    out = Terminal()
    with Bar("Importando", out=out) as shown:
        shown.show(1, 4)
        shown.show(4, 4)
    assert out.getvalue().count("\n") == 1
    assert "█" * bar.WIDTH in out.getvalue()
    assert "4/4" in out.getvalue()


def test_without_a_terminal_there_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "QUIET_S", 0.0)
    out = io.StringIO()
    with Bar("Importando", out=out) as shown:
        shown.show(1, 4)
        shown.show(2, 4)
    assert out.getvalue().splitlines() == ["Importando: 1 de 4 (0 s)", "Importando: 2 de 4 (0 s)"]
    assert "\x1b" not in out.getvalue()
