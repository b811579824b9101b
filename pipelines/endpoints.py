"""Checks that a server of an engine answers at its address."""

import socket
from urllib.parse import urlsplit

from textgen.errors import require

_CONNECT_SECONDS = 10.0


def require_answer(address: str | None, option: str, what: str) -> None:
    """Checks that something listens at an address; clients of engines would try for minutes.

    Args:
        address: `host:port`, or several with commas, after a scheme or none; nothing is checked if it is empty.
        option: the option that names it, for the error.
        what: the server, for the error.

    Raises:
        UserError: the address has no port.
        ConnectionError: nothing listens.
    """
    if not address or address == "embed":
        return
    for each in address.rpartition("//")[2].split(","):
        host, port = _host_and_port(each)
        require(port is not None, f"{option} is {address}, which has no port; it must be host:port.")
        try:
            socket.create_connection((host, port or 0), _CONNECT_SECONDS).close()
            return
        except OSError as error:
            failed = error
    raise ConnectionError(
        f"{what} does not answer at {option} {address}: {failed}. Start it, or correct the address."
    )


def _host_and_port(address: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit("//" + address)
        return parts.hostname or "", parts.port
    except ValueError:
        # The port is no number, or above 65535.
        return address, None
