"""Which sockets a test may open: none in tests/unit, loopback and unix sockets elsewhere.

Nothing here talks to a real portal or registry: a test that tries to reach one fails at the connect. The guard holds
in the test's own process; what the tests start (workers, children, Chromium) reaches only addresses it was given.
"""

from __future__ import annotations

from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parent.parent / "unit"
LOOPBACK = ["127.0.0.0/8", "localhost", "::1"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test for pytest-socket by the folder that it stands in."""
    for item in items:
        if item.path.is_relative_to(UNIT):
            item.add_marker(pytest.mark.disable_socket)
        else:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
