from pathlib import Path

import pytest

from pipelines.listing.own_folders import is_own_folder, is_within
from textgen.config import PrepareConfig, TextConfig
from textgen.dataset.storage.manifest import Manifest
from textgen.locks.owners import this_process

MANIFEST = Manifest(
    config=PrepareConfig(text=TextConfig()), fingerprint="", vocabulary_size=4, vocabulary_sha256="",
    tokens_sha256="", inputs_sha256="", units=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "own"),
    [
        ("manifest.json", b"", True),
        ("train-000000.tfrecord", b"", True),
        ("_lock", this_process("prepare", folder=0).to_bytes(), True),
        ("_lock", b"mine", False),
        ("_work/plan.json", b"{}", True),
        ("run.json", b'{"version": 2, "tokens_sha256": "ab"}', True),
        ("run.json", b'{"command": "make"}', False),
        ("train-00000-of-00008.tfrecord", b"", False),
        ("_work/notes.txt", b"x", False),
        ("a.txt", b"x", False),
    ],
)
def test_a_dataset_or_run_is_known_by_its_files(tmp_path: Path, name: str, content: bytes, own: bool) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(MANIFEST.to_bytes() if name == "manifest.json" else content)
    assert is_own_folder(str(tmp_path), {each.name for each in tmp_path.iterdir()}) == own


def test_another_programs_manifest_makes_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "web app", "version": 3}')
    assert not is_own_folder(str(tmp_path), {"manifest.json"})


def test_a_folder_lies_in_itself_and_in_those_above_it_links_followed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    a = str(tmp_path / "a")
    assert is_within(a, a) and is_within(f"{a}/b/c", a) and is_within(f"{tmp_path}/link/b", f"{a}/")
    assert not is_within(f"{a}b", a) and not is_within(str(tmp_path), a)
    assert is_within("gs://b/a/c", "gs://b/a/") and not is_within("gs://b/ab", "gs://b/a")
