"""Runs textgen's commands as a user does, on folders of a store, and looks at what is in the store."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import fsspec

from tests.faults.signals import START
from tests.stores.servers import Store
from textgen import remote_files

TRAINING = "--embedding 4 --units 4 --epochs 1 --batch-size 64 --sample-tokens 2"
OPTIONS = "--format lines --window 6 --near-duplicates 0.8 --keep-dropped --validation-percent 20"
_WORDS = ["sea", "ship", "whale", "mast", "crew", "deck"]
_NAMING = ("manifest.json", "inputs.jsonl")
"""Files that hold the paths of the input, which differ between a store and a local folder."""


def make_texts(folder: Path, *, files: int = 3, lines: int = 400) -> Path:
    """Writes files of random lines, some of which repeat others, and returns their folder."""
    chance, texts = random.Random(7), folder / "texts"
    texts.mkdir()
    for i in range(files):
        written = [
            " ".join(chance.choices(["sea", "ship", "whale", "mast", "crew", "deck"], k=12)) for _ in range(lines)
        ]
        (texts / f"{i}.txt").write_text("\n".join(written + written[:9]))
    return texts


def start(words: Sequence[str], store: Store | None, **environment: str) -> "subprocess.Popen[str]":
    """Starts a command in a process of its own."""
    variables = {**os.environ, **(store.environment if store else {}), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", START, *words], env=variables, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(words: Sequence[str], store: Store | None, *, code: int = 0, **environment: str) -> str:
    """Runs a command, checks its exit code, and returns what it wrote to standard error and output."""
    process = start(words, store, **environment)
    output, errors = process.communicate()
    assert process.returncode == code, (words, process.returncode, errors, output)
    assert "Traceback" not in errors, errors
    return errors + output


def prepare_words(texts: str, output: str, *options: str) -> list[str]:
    """Returns the words of a preparation."""
    return ["prepare", "--input", f"{texts}/*.txt", "--output", output, *OPTIONS.split(), *options]


def upload(texts: Path, store: Store) -> str:
    """Copies a folder of texts to a store, and returns its URL."""
    os.environ.update(store.environment)
    driver, _ = remote_files.connect(store.root)
    for path in texts.iterdir():
        driver.put_file(str(path), f"{store.root}/texts/{path.name}")
    return f"{store.root}/texts"


def names(url: str) -> set[str]:
    """Returns the names of the files directly in a folder of a store, asked for anew."""
    fsspec.spec.AbstractFileSystem.clear_instance_cache()
    driver, path = remote_files.connect(url)
    driver.invalidate_cache()
    found = [info["name"] for info in driver.ls(path, detail=True) if info["type"] == "file"]
    return {name.rpartition("/")[2] for name in found}


def hashes(folder: str | Path) -> dict[str, str]:
    """Returns the SHA-256 of each file of a dataset but those that name the input, by its name."""
    if isinstance(folder, Path):
        contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    else:
        driver, path = remote_files.connect(folder)
        contents = {name: driver.cat_file(f"{path}/{name}") for name in names(folder)}
    return {
        name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items()) if name not in _NAMING
    }


def local_hashes(folder: Path, texts: Path, *options: str) -> dict[str, str]:
    """Prepares a dataset in a local folder, and returns the SHA-256 of its files."""
    run(prepare_words(str(texts), str(folder / "local"), *options), None)
    return hashes(folder / "local")
