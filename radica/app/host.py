"""Who this machine is, and who this process is on it.

Invariant: a host id names one process space (machine name and PID namespace), because only there "no living process"
is a fact; a fence from another space would prove nothing (DESIGN section 5.6).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path


def host_id(environ: Mapping[str, str]) -> str:
    """Return RADICA_HOST, else the machine's name with its PID namespace when it is not the machine's first one."""
    named = environ.get("RADICA_HOST")
    if named:
        return named[:120]
    name = socket.gethostname()
    link = Path("/proc/self/ns/pid")
    space = str(link.readlink()) if link.exists() else ""
    initial = "pid:[4026531836]"  # the kernel's fixed inode of the first PID namespace
    return (name if space in ("", initial) else f"{name}/{space}")[:120]


def owner_id(host: str) -> str:
    """Name this process among the workers of the host."""
    return f"{host}:{os.getpid()}"[:120]
