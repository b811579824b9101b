import glob
import os
from pathlib import Path

import pytest

from pipelines.listing.globs import Glob, expand_braces, is_hidden, split


def matches(pattern: str, path: str, *, hidden: bool = False) -> bool:
    made = Glob(pattern)
    states = made.start()
    for name in path.split("/"):
        states = made.step(states, name, hidden=hidden)
    return made.is_match(states)


NAMES = ["a.txt", "b1.txt", "b2", "a/c.txt", "a/b/d.txt", "a/b/b1.txt", "e/b/f", "[x]", "e/[x]/a.txt"]
PATTERNS = [
    "*", "**", "*.txt", "**.txt", "**/*.txt", "*/*.txt", "a/**", "**/b/**", "**/b/*", "**/**/d.txt", "b?*", "b[12]*",
    "b[!1]*", "[ab]*", "e/**/a.txt", "[[]x]", "**/[[]x]/*", "[", "a.txt", "*/b/*", "b[^1]*", "nothing*",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_the_files_that_pythons_glob_finds(pattern: str, tmp_path: Path) -> None:
    for name in NAMES:
        path = tmp_path / name
        # "a" is a folder here and "[x]" a file there.
        path = path if not path.is_dir() else path / "x"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = glob.glob(pattern, root_dir=tmp_path, recursive=True)  # noqa: PTH207
    there = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    expected = sorted({os.path.normpath(name) for name in found if (tmp_path / name).is_file()})
    assert sorted(name for name in there if matches(pattern, name)) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "visible"),
    [
        ("*", ".a", False), ("**", ".git/HEAD", False), ("**/*", "a/_b/c", False), ("*.db", "Thumbs.db", False),
        (".*", ".a", True), ("_*/*", "_b/c", True), (".git/*", ".git/HEAD", True), ("**/.git/**", "a/.git/b/c", True),
        (".*/*", ".git/.b", False), ("Thumbs.db", "Thumbs.db", True), ("[.]a", ".a", False), ("_*", ".a", None),
        ("**", "~$report.docx", False), ("**", "a__b/c.d", True),
    ],
)  # fmt: skip
def test_wildcards_match_no_hidden_names_unless_they_begin_alike(
    pattern: str, path: str, visible: bool | None
) -> None:
    assert matches(pattern, path) == bool(visible)
    assert matches(pattern, path, hidden=True) == (visible is not None)


def test_names_of_operating_systems_are_hidden_in_any_case() -> None:
    assert all(map(is_hidden, ("desktop.ini", "Desktop.ini", "THUMBS.DB", ".DS_Store", "__MACOSX", "lost+found")))
    assert not any(map(is_hidden, ("a_b", "a.b", "thumbs", "~a", "-")))


@pytest.mark.parametrize(
    ("pattern", "alternatives"),
    [
        ("a", ["a"]), ("{a}", ["{a}"]), ("{a,b}", ["a", "b"]), ("x{a,}y", ["xay", "xy"]),
        ("{a/b,c}/d", ["a/b/d", "c/d"]),
        ("{a,{b,c}d}", ["a", "bd", "a", "cd"]), ("{a", ["{a"]), ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
    ],
)  # fmt: skip
def test_braces_hold_alternatives(pattern: str, alternatives: list[str]) -> None:
    assert sorted(expand_braces(pattern)) == sorted(alternatives)


@pytest.mark.parametrize(
    ("word", "there", "parts"),
    [
        ("a/b.txt", [], ("a/b.txt", "")), ("a/*.txt", [], ("a", "*.txt")), ("*.txt", [], ("", "*.txt")),
        ("/*/b", [], ("/", "*/b")), ("./*.txt", [], (".", "*.txt")), ("[a]/*.txt", ["[a]"], ("[a]", "*.txt")),
        ("[a]/*.txt", [], ("", "[a]/*.txt")), ("a[1].txt", ["a[1].txt"], ("a[1].txt", "")),
        ("a/**", ["a/**"], ("a", "**")), ("gs://b/*/c", [], ("gs://b", "*/c")), ("a/{b,c}/d", [], ("a", "{b,c}/d")),
    ],
)  # fmt: skip
def test_the_folder_of_a_pattern_is_all_that_exists_by_name(
    word: str, there: list[str], parts: tuple[str, str]
) -> None:
    assert split(word, there.__contains__) == parts


def test_a_folder_is_entered_only_where_something_may_match() -> None:
    made = Glob("a/*.txt")
    inside = made.step(made.start(), "a", hidden=False)
    assert made.may_match_below(made.start()) and made.may_match_below(inside)
    assert not made.may_match_below(made.step(inside, "b.txt", hidden=False))
    assert not made.may_match_below(made.step(made.start(), "b", hidden=False))
