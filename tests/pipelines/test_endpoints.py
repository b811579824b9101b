import socket

import pytest

from pipelines.endpoints import require_answer
from textgen.errors import UserError


def test_an_address_at_which_something_listens_passes() -> None:
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        for address in (f"localhost:{port}", f"http://localhost:{port}/path", f"localhost:1,localhost:{port}"):
            require_answer(address, "--master", "the master")


@pytest.mark.parametrize("address", [None, "", "embed"])
def test_no_address_is_not_checked(address: str | None) -> None:
    require_answer(address, "--master", "the master")


@pytest.mark.parametrize("address", ["localhost", "localhost:port", "localhost:99999", "[::1"])
def test_an_address_without_a_port_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="--master is .*, which has no port; it must be host:port"):
        require_answer(address, "--master", "the master")


def test_an_address_that_does_not_answer_is_named() -> None:
    with pytest.raises(ConnectionError, match="the master does not answer at --master localhost:1"):
        require_answer("localhost:1", "--master", "the master")
