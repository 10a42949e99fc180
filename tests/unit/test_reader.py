"""Readers of strangers' files: they end with who asks them, and answer whom they still can."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

SLEEPER = """
import sys, time
from radica.kernel.reader import serve
def answer(order, data):
    open(order["ruta"], "w").write("aqui")
    time.sleep(600)
sys.exit(serve(answer, memory_bytes=2**32, cpu_s=60))
"""
ASKER = """
import os, sys, threading, time
from radica.kernel.reader import ReaderProcess
reader = ReaderProcess([sys.executable, "-c", sys.argv[1]], read_s=600, max_line=100)
threading.Thread(target=reader.line, args=({"ruta": sys.argv[2]},), daemon=True).start()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
print(reader._process.pid, flush=True)
time.sleep(600)
"""


def test_a_reader_at_work_ends_when_who_asked_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASKER, SLEEPER, str(tmp_path / "señal")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asker:
        assert asker.stdout is not None
        reader = os.pidfd_open(int(asker.stdout.readline()))
        try:
            asker.send_signal(signal.SIGKILL)
            ended, _, _ = select.select([reader], [], [], 60)
        finally:
            os.close(reader)
    assert ended


def test_a_pipe_closed_after_its_orders_is_answered_whole() -> None:
    echo = "import sys, time; from radica.kernel.reader import serve;"
    echo += "sys.exit(serve(lambda order, data: time.sleep(1) or order, memory_bytes=2**32, cpu_s=60))"
    orders = b"".join(json.dumps({"n": n, "bytes": 0}).encode() + b"\n" for n in range(3))
    told = subprocess.run([sys.executable, "-c", echo], input=orders, capture_output=True, check=True, timeout=60)
    assert [json.loads(line)["n"] for line in told.stdout.splitlines()] == [0, 1, 2]
