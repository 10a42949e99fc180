"""No unit test reaches a network, and no other test reaches past loopback."""

import socket

import pytest
from pytest_socket import SocketBlockedError, SocketConnectBlockedError, socket_allow_hosts

from tests.plugins.sockets import LOOPBACK


@pytest.mark.filterwarnings("ignore:A test tried to use:UserWarning")
def test_a_unit_test_opens_no_socket() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket()


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore:A test tried to use:UserWarning")
def test_elsewhere_only_loopback_answers() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
        with socket.create_connection(server.getsockname(), timeout=5) as client:
            assert client.getpeername() == server.getsockname()
        # 192.0.2.0/24 is reserved for documentation: nobody answers there even if the guard fails.
        with pytest.raises(SocketConnectBlockedError):
            socket.create_connection(("192.0.2.1", 9), timeout=1)
