"""Writes the running code of textgen as a wheel, for workers that install it at their start.

An engine's workers must have the launcher's version, which may be installed without its setup.py. The format is
https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

import base64
import hashlib
import importlib.metadata
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.worker_version import own_version
from textgen.errors import UserError

DISTRIBUTION = "textgen-stream"
_PACKAGES = ("textgen", "pipelines")
_DATE = (1980, 1, 1, 0, 0, 0)
"""The same for all files, so that equal code is an equal wheel, which services need not upload again."""

_WHEEL = "Wheel-Version: 1.0\nGenerator: textgen\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path, *, extras: Iterable[str] = ()) -> Path:
    """Writes the packages of this process with what they require, and returns the path of the wheel.

    Args:
        folder: an existing folder.
        extras: extras whose packages are required too, such as the driver of a store.

    Raises:
        UserError: textgen is not installed by pip, so that what it requires is not known.
    """
    name = f"{DISTRIBUTION.replace('-', '_')}-{own_version()}"
    files = dict(_modules())
    files[f"{name}.dist-info/METADATA"] = _metadata(extras).encode()
    files[f"{name}.dist-info/WHEEL"] = _WHEEL.encode()
    record = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items()]
    files[f"{name}.dist-info/RECORD"] = "".join([*record, f"{name}.dist-info/RECORD,,\n"]).encode()
    wheel = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return wheel


def _modules() -> Iterator[tuple[str, bytes]]:
    """Yields the path and content of each file of the packages, in the order of the paths."""
    root = Path(__file__).parents[1]
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix(), path.read_bytes()


def _metadata(extras: Iterable[str]) -> str:
    try:
        found = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"workers must install textgen, and {DISTRIBUTION} is not installed here by pip. Install it, or name an "
            "image that has it by --sdk_container_image, or a checkout's setup.py by --setup_file."
        ) from None
    head = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {own_version()}\n"
    return head + "".join(f"Requires-Dist: {each}\n" for each in _required(found.requires or (), set(extras)))


def _required(requirements: Iterable[str], extras: set[str]) -> Iterator[str]:
    """Yields the requirements without extra, and those of the extras without the marker that names it.

    >>> list(_required(["numpy>=2", "gcsfs>=1; extra == 'gs'", "s3fs; extra == 'aws'"], {"gs"}))
    ['numpy>=2', 'gcsfs>=1']
    >>> list(_required(["uvloop; sys_platform != 'win32' and extra == 'serve'"], {"serve"}))
    ["uvloop; sys_platform != 'win32'"]
    """
    for each in requirements:
        found = re.search(r"(?:;|\sand)\s*extra\s*==\s*['\"](\w+)['\"]\s*$", each)
        if found is None:
            yield each
        elif found[1] in extras:
            yield each[: found.start()].rstrip()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
