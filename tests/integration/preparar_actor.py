"""A process of its own that prepares an envío and is killed at the point it is told, or once its maker has worked."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import object_session

from radica.custodia.store import FolderStore
from radica.kernel.reader import serve
from radica.radicacion import cambio_hijo, preparar
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.perfil_paquete import Perfil, perfiles
from tests.plugins.filing import house_on

POINTS = ("hecho_sin_recoger", "escrito", "carpeta_sincronizada", "antes_de_confirmar", "confirmado")
STRICT = Perfil("estricto", "Pagador de prueba", bytes_archivo=300_000, sin_script=True)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, folder: str, envio: str, point: str) -> None:
    """Prepare the envío; die at `point` without a word, or say `fin`."""
    perfiles()[STRICT.codigo] = STRICT
    house = house_on(url, Path(folder))
    if point == "hecho_sin_recoger":
        preparar.COMMAND = (sys.executable, "-m", "tests.integration.preparar_actor")

    def at(name: str) -> None:
        if name == point:
            _die()

    def before(_mapper: Any, _connection: Any, row: Linaje) -> None:
        session = object_session(row)
        assert session is not None
        event.listen(session, "before_commit", lambda _: at("antes_de_confirmar"), once=True)
        event.listen(session, "after_commit", lambda _: at("confirmado"), once=True)

    event.listen(Linaje, "after_insert", before)
    assert isinstance(house.store, FolderStore)
    house.store._at = at
    preparar.preparar(house.db, house.store, int(envio), actor="persona:1", clock=house.clock, beat=lambda: None)
    sys.stdout.write("fin\n")


def work_and_kill(order: Any, data: bytes) -> dict[str, Any]:
    """Make the change as the true maker does, and end who asked before telling it."""
    said = cambio_hijo.answer(order, data)
    os.kill(os.getppid(), signal.SIGKILL)
    return said


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(serve(work_and_kill, memory_bytes=cambio_hijo.MEMORY_BYTES, cpu_s=60))
    main(*sys.argv[1:])
