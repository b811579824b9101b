"""Compares the listing of random trees with a reference that is written with `os.walk`."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from pipelines.listing import list_files

NAMES = [
    "a.txt", "b.csv", "c d.txt", "new\nline.txt", "[x]*.txt", "{a,b}", "who?", "é.txt", "~x", "-", "#h", "'q'\"",
    "**", ".hid", "_und", "Thumbs.db", "a.jsonl.gz", os.fsdecode(b"\xff\xfe.txt"), "gs:", "sub", "sub2", "deep",
]  # fmt: skip
SYSTEM = {"thumbs.db"}


def grow(folder: Path, chance: random.Random, depth: int, made: list[Path]) -> None:
    """Fills a folder with files, folders, links, hard links, pipes and what is hidden."""
    for name in chance.sample(NAMES, chance.randint(1, 6)):
        path, kind = folder / name, chance.random()
        if kind < 0.35 and depth:
            path.mkdir()
            grow(path, chance, depth - 1, made)
        elif kind < 0.45 and made:
            path.symlink_to(os.path.relpath(chance.choice(made), folder))
        elif kind < 0.5:
            path.symlink_to(chance.choice([".", "..", "nowhere", name]))
        elif kind < 0.55 and (files := [each for each in made if each.is_file() and not each.is_symlink()]):
            path.hardlink_to(chance.choice(files))
        elif kind < 0.6:
            os.mkfifo(path)
        else:
            path.write_bytes(b"" if kind < 0.65 else b"text " * chance.randint(1, 3))
        made.append(path)


def reference(root: str) -> tuple[list[str], dict[str, str]]:
    """The files to read, and the reason for each other file or folder that is not entered."""
    read, reasons, seen, pending = list[str](), dict[str, str](), set[tuple[int, int]](), [root]
    while pending:
        top, links = pending.pop(0), list[str]()
        if number(top) in seen:
            reasons[top + "/"] = "hidden or system" if hidden(top, root) else "already read by another name"
            continue
        for folder, folders, names in os.walk(top):
            if number(folder) in seen:
                reasons[folder + "/"] = "hidden or system" if hidden(folder, root) else "already read by another name"
                folders.clear()
                continue
            seen.add(number(folder))
            links += [f"{folder}/{name}" for name in folders if Path(folder, name).is_symlink()]
            for path in (f"{folder}/{name}" for name in names):
                reasons[path] = fault(path, root)
        pending += sorted(links, key=lambda path: (path.count("/"), path.split("/")))
    first: dict[tuple[int, int], str] = {}
    for path in sorted(path for path, reason in reasons.items() if not reason):
        if first.setdefault(number(path), path) == path:
            read.append(path)
            del reasons[path]
        else:
            reasons[path] = "already read by another name"
    return read, reasons


def number(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_dev, found.st_ino


def hidden(path: str, root: str) -> bool:
    parts = os.path.relpath(path, root).split("/")
    return any(part[0] in "._" or part.lower() in SYSTEM for part in parts if part != ".")


def fault(path: str, root: str) -> str:
    if hidden(path, root):
        return "hidden or system"
    if not Path(path).exists():
        return "broken link"
    if not Path(path).is_file():
        return "pipe, socket or device"
    return "" if Path(path).stat().st_size else "empty"


@pytest.mark.parametrize("seed", range(60))
def test_a_random_tree_is_listed_as_by_a_walk(tmp_path: Path, seed: int) -> None:
    root = tmp_path / "in"
    root.mkdir()
    (root / "first.txt").write_text("x")
    grow(root, random.Random(seed), 4, [])
    read, reasons = reference(str(root))
    found = list_files([str(root)])
    assert [file.path for file in found.files] == read
    assert {each.path: each.reason for each in found.passed_over} == reasons
    names = Counter([*(file.path for file in found.files), *(each.path for each in found.passed_over)])
    assert max(names.values()) == 1
