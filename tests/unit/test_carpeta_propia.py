"""The folder of a command that is told to end: gone, and whoever asked is answered."""

from __future__ import annotations

import signal
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from radica.app.validar.carpeta_propia import carpeta_propia


def told_to_end(which: signal.Signals, *, swallowed: bool) -> None:
    with carpeta_propia("prueba-") as folder:
        (folder / "de-otro").write_bytes(b"x")
        # `suppress` stands for a finalizer of the standard library, which clears what a handler raises inside it.
        with suppress(KeyboardInterrupt) if swallowed else nullcontext():
            signal.raise_signal(which)


@pytest.mark.parametrize("swallowed", [False, True])
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_interrupted_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: signal.Signals, swallowed: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = signal.getsignal(which)
    with pytest.raises(KeyboardInterrupt):
        told_to_end(which, swallowed=swallowed)
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(which) is before
