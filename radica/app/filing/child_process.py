"""Start a bot's process, speak the pipe contract with it, and make sure that it ends.

Invariant: what the child says is decoded as untrusted; credentials travel only over the pipe; the child can press its
button only after `send(Go)`; whatever happens, every read has a limit in seconds.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bots import contract
from bots.faults import ENV_FAULTS, ENV_MARKER
from bots.processes import kill_family

KEEP_ENV = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PLAYWRIGHT_BROWSERS_PATH",
    "SSL_CERT_FILE",
)
"""What a child inherits: it has no business with the database's address or the keys."""


class Child:
    """One running bot process."""

    def __init__(self, marker: str, folder: Path, environ: Mapping[str, str]) -> None:
        self.marker = marker
        self.folder = folder
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True, mode=0o700)
        env = {name: environ[name] for name in KEEP_ENV if name in environ}
        env |= {ENV_MARKER: marker, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
        if ENV_FAULTS in environ:
            env[ENV_FAULTS] = environ[ENV_FAULTS]
        with (folder / "bot.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bots.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=env,
                cwd=Path(contract.__file__).parent.parent,
                start_new_session=True,
            )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, message: contract.ToChild) -> bool:
        """Write one line; False when the child is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(contract.encode(message))
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return False
        return True

    def receive(self, timeout_s: float) -> contract.FromChild | None:
        """Return the next message; None when the pipe closed. Raises TimeoutError, ContractError."""
        try:
            line = self._lines.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            raise TimeoutError from None
        return None if line is None else contract.decode_from_child(line)

    def end(self, *, patience_s: float) -> bool:
        """Wait for the child to end by itself, then kill every process of the attempt. True when none is left."""
        try:
            self._process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        gone = kill_family(self.marker, self.folder)
        self._process.wait(timeout=10)
        assert self._process.stdin is not None
        with suppress(OSError):  # the buffer may hold a line for a child that is gone
            self._process.stdin.close()
        return gone

    def _read(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(contract.MAX_LINE + 1):
            self._lines.put(line)
        self._process.stdout.close()
        self._lines.put(None)
