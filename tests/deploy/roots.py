"""Root folders in which commands run as in a container: this machine's files below, what they write above."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trial import CannotTry

PYTHON = "/opt/python"
"""A new virtual environment, in place of the Python of the base image."""


class Root:
    """A root folder.

    Attributes:
        above: folder of all files that were made in it.
        shared: folder of this machine that is at the same path in it.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self.above, self.shared = folder / "above", folder / "shared"
        for name in ("above", "work", "root", "shared"):
            (folder / name).mkdir()

    def command(self, words: list[str], *, folder: str = "/", **environment: str) -> list[str]:
        """Returns the words of a command that runs other words in this root.

        Args:
            words: words of the command.
            folder: the current folder, in the root; it is made.
            environment: environment variables.
        """
        root, shared = shlex.quote(str(self._folder / "root")), shlex.quote(str(self.shared))
        path = f"{PYTHON}/bin:{os.environ['PATH']}"
        variables = [f"{name}={value}" for name, value in {"PATH": path, **environment}.items()]
        inside = shlex.join(
            ["env", *variables, "sh", "-c", f'mkdir -p {folder} && cd {folder} && exec "$@"', "sh", *words]
        )
        layers = f"lowerdir=/,upperdir={self.above},workdir={self._folder / 'work'}"
        mounts = [
            f"mount -t overlay overlay -o {shlex.quote(layers)} {root}",
            f"mount --rbind /dev {root}/dev", f"mount --rbind /proc {root}/proc",
            f"mkdir -p {root}{shared}", f"mount --bind {shared} {root}{shared}",
        ]  # fmt: skip
        return ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, f"exec chroot {root} {inside}"])]

    def run(self, words: list[str], **settings: str) -> str:
        """Runs words in this root, and returns what they print.

        Raises:
            AssertionError: they fail.
        """
        ended = subprocess.run(self.command(words, **settings), capture_output=True, text=True)
        assert ended.returncode == 0, (words, ended.stdout[-2000:], ended.stderr[-4000:])
        return ended.stdout

    def copy(self, source: Path, target: str) -> None:
        """Copies a file or folder of this machine into the root, as COPY does."""
        path = self.above / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, path, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy2(source, path)


@contextlib.contextmanager
def clean_root(folder: Path) -> Iterator[Root]:
    """Makes a root with a Python of the version that runs this, and no packages.

    Raises:
        CannotTry: this machine does not permit it.
    """
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        raise CannotTry("a root folder of its own needs `unshare`, and root")
    root = Root(folder)
    python = Path(sys.executable).resolve()
    ended = subprocess.run(root.command([str(python), "-m", "venv", PYTHON]), capture_output=True, text=True)
    if ended.returncode:
        raise CannotTry(f"no overlay can be mounted: {ended.stderr.strip()}")
    yield root
