import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.consent import group_by_folder, require_consent
from pipelines.plan import Plan
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import InputFile, Member
from textgen.errors import UserError

CONFIG = PrepareConfig(text=TextConfig())
FILE = InputFile("/a/b.txt", 3, 1.0, "document")
NAMES = st.lists(st.sampled_from(["a", "b", "c", "..", "d e"]), min_size=1, max_size=5).map("/".join)
PATHS = st.builds(str.__add__, st.sampled_from(["", "/", "gs://bucket/", "s3://other/", "file:///"]), NAMES)


def of(*paths: str) -> Plan:
    return Plan(CONFIG, tuple(dataclasses.replace(FILE, path=path) for path in paths))


def in_archive(path: str, archive: str) -> Plan:
    return Plan(CONFIG, (dataclasses.replace(FILE, path=path, member=Member(archive, (), 9, 0, 9, "", -1, 9)),))


def test_paths_are_grouped_by_the_folder_they_lead_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    paths = ["a.txt", "./b/c.txt", "../d.txt", "file:///e/f.txt", "/e//g.txt", "gs://bucket/h/i.txt", "/j/../k.txt"]
    assert group_by_folder(paths) == {
        f"{tmp_path}/here": ["a.txt"],
        f"{tmp_path}/here/b": ["c.txt"],
        f"{tmp_path}": ["d.txt"],
        "/e": ["f.txt", "g.txt"],
        "gs://bucket/h": ["i.txt"],
        "/": ["j/../k.txt"],
    }
    assert group_by_folder(["/a", "gs://bucket/a"], most=1) == {"": ["/a", "gs://bucket/a"]}
    assert group_by_folder([]) == {}


@given(st.lists(PATHS, max_size=12), st.integers(1, 5))
def test_every_path_has_one_of_a_few_folders(paths: list[str], most: int) -> None:
    found = group_by_folder(paths, most=most)
    assert len(found) <= most
    assert sum(map(len, found.values())) == len(paths)


def told(plan: Plan, capfd: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(UserError, match="read only if you agree"):
        require_consent(plan, "data")
    return capfd.readouterr().err.splitlines()


def test_names_that_act_on_a_terminal_are_shown_as_escapes(capfd: pytest.CaptureFixture[str]) -> None:
    lines = told(of("/a/\x1b[2Jb.txt", "/c\nerror: all is well", "/d/\u202etxt.exe"), capfd)
    assert lines == [
        "data/inputs.jsonl names 3 input files, to be read for this repair:",
        "  in /a: '\\x1b[2Jb.txt'",
        "  in /: 'c\\nerror: all is well'",
        "  in /d: '\\u202etxt.exe'",
    ]


def test_no_place_is_left_out_among_many(capfd: pytest.CaptureFixture[str]) -> None:
    paths = [f"/corpus/{i}/{j}.txt" for i in range(20) for j in range(5)]
    lines = told(of(*paths, "/home/me/.ssh/id_rsa"), capfd)
    assert lines[0].startswith("data/inputs.jsonl names 101 input files")
    assert lines[1:] == ["  in /corpus: 0/0.txt, 0/1.txt, 0/2.txt and 97 others", "  in /home: me/.ssh/id_rsa"]


def test_an_archive_is_shown_and_not_the_name_of_the_file_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert told(in_archive("/a/b.zip/c.txt", "/a/b.zip"), capfd)[1:] == ["  in /a: b.zip"]
    # A stranger may write any two names.
    lines = told(in_archive("/harmless/c.txt", "/home/me/secrets.zip"), capfd)
    assert lines[1:] == ["  in /home/me: secrets.zip", "  in /harmless: c.txt"]


def test_given_inputs_must_hold_the_archive_and_not_only_its_name(tmp_path: Path) -> None:
    for name in ("a.txt", "b.zip"):
        (tmp_path / name).write_text("call me ishmael\n")
    require_consent(of(f"{tmp_path}/a.txt"), "data", given=[f"{tmp_path}/a.txt"])
    with pytest.raises(UserError, match=r"was made from .*b\.zip too, which the given inputs do not have"):
        require_consent(in_archive(f"{tmp_path}/b.zip/c", f"{tmp_path}/b.zip"), "data", given=[f"{tmp_path}/a.txt"])
    with pytest.raises(UserError, match=r"was made from .*/a\.txt/\.\./b\.zip too"):
        require_consent(of(f"{tmp_path}/a.txt", f"{tmp_path}/a.txt/../b.zip"), "data", given=[str(tmp_path)])
