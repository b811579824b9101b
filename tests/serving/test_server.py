import socket

import pytest

from tests.serving.conftest import Served
from textgen.errors import UserError
from textgen.serving import server


def test_an_address_in_use_is_refused(served: Served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port} can't be listened at"):
            server.serve(server.make_app([served.model]), host="127.0.0.1", port=port)
