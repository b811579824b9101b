"""Runs textgen's commands in processes that are forked from a trial, and waits for their end."""

import os
import random
import re
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from textgen import cli, runs
from textgen.corpus import units
from textgen.owned_folders import own_temporary_files

UNITS = 4
"""Number of units into which a trial's corpus is divided."""

_MODEL = {
    "embedding": 4, "units": 4, "dropout": 0.5, "batch-size": 64, "epochs": 2, "validate-every": 7, "patience": 99,
    "learning-rate": 0.01, "checkpoint-minutes": 0, "seed": 3,
}  # fmt: skip


class Ended(NamedTuple):
    """The end of a command.

    Attributes:
        code: exit code; minus the number of the signal that ended the process.
        errors: all that it wrote to standard error.
    """

    code: int
    errors: str

    def require_one_line(self, *words: str) -> None:
        """Checks that the command failed with one line that holds all words, and without a traceback."""
        lines = [line for line in re.split(r"[\n\r]", self.errors) if "error: " in line]
        assert self.code == 1, self
        assert len(lines) == 1, self.errors
        assert "Traceback" not in self.errors, self.errors
        assert "mistake" not in lines[0], self.errors
        for word in words:
            assert word in lines[0], self.errors


def run(
    words: list[str],
    *,
    prepared: Callable[[], None] | None = None,
    kill_when: Callable[[], bool] | None = None,
    temporary: Path | None = None,
) -> Ended:
    """Runs a command in a process of its own.

    Args:
        words: words of the command.
        temporary: folder for the temporary files of the process; None for that of the machine.
        prepared: function that is called in the process, before the command.
        kill_when: function that tells whether the process shall be killed now; it is called all the time.
    """
    received, written = os.pipe()
    process = os.fork()
    if not process:
        os.close(received)
        _run(words, written, prepared, temporary)
    os.close(written)
    chunks: list[bytes] = []
    reader = threading.Thread(target=_read, args=(received, chunks))
    reader.start()
    status = _wait(process, kill_when)
    reader.join()
    os.close(received)
    return Ended(os.waitstatus_to_exitcode(status), b"".join(chunks).decode())


def _wait(process: int, kill_when: Callable[[], bool] | None) -> int:
    while kill_when is not None:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return status
        if kill_when():
            os.kill(process, 9)
            break
        time.sleep(0.0005)
    return os.waitpid(process, 0)[1]


def _read(number: int, chunks: list[bytes]) -> None:
    while chunk := os.read(number, 65536):
        chunks.append(chunk)


def _run(words: list[str], errors: int, prepared: Callable[[], None] | None, temporary: Path | None) -> None:
    """Runs a command in this process, and ends it."""
    code = 70
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number, target in ((0, nowhere), (1, nowhere), (2, errors)):
            os.dup2(target, number)
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: PTH123, SIM115
        units.unit_bytes = lambda total_bytes, most: total_bytes // UNITS  # type: ignore[assignment]
        if prepared:
            prepared()
        if temporary:
            temporary.mkdir(exist_ok=True)
            tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
        with own_temporary_files():
            code = cli.main(words)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def make_corpus(folder: Path) -> Path:
    """Writes a file of random lines, some of which repeat others, and returns its path."""
    chance, path = random.Random(7), folder / "corpus.txt"
    lines = [" ".join(chance.choices(["sea", "ship", "whale", "mast", "crew", "deck"], k=12)) for _ in range(200)]
    path.write_text("\n".join(lines + lines[:9]))
    return path


def prepare_words(corpus: Path, output: Path) -> list[str]:
    """Returns the words of a preparation that makes every kind of file."""
    options = "--format lines --window 6 --duplicates drop --keep-dropped --validation-percent 20 --layout spans"
    return ["prepare", "--input", str(corpus), "--output", str(output), *options.split()]


def train_words(data: Path, output: Path) -> list[str]:
    """Returns the words of a training that validates and saves often."""
    words = [str(word) for name, value in _MODEL.items() for word in (f"--{name}", value)]
    return ["train", "--data", str(data), "--output", str(output), *words]


def again(words: list[str]) -> list[str]:
    """Returns the words with which a command continues, as its error says."""
    if words[0] != "train":
        return words
    output = Path(words[words.index("--output") + 1])
    return [*words, "--resume"] if runs.checkpoints_in(output / runs.LAST) else words


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the content of every file of a folder by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
