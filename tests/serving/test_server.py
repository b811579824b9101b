import socket

import pytest

from textgen.errors import UserError
from textgen.serving import server


def test_an_address_in_use_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port} can't be listened at: .*in use"):
            server.listen("127.0.0.1", port)
    with server.listen("127.0.0.1", 0) as listening:
        assert listening.getsockname()[1] > 0
