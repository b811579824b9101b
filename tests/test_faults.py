"""Every fault that a dataset can suffer on disk: `verify` names it, the loader never serves it, `repair` mends it."""

import itertools
import os
import re
import shutil
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from pipelines.prepare import prepare
from pipelines.repair import repair
from textgen.config import PrepareConfig, SelectionConfig, TextConfig
from textgen.corpus import units
from textgen.dataset import read_pairs, verify
from textgen.errors import UserError, user_error

KINDS = ("pairs", "spans", "tail")
UNITS = 4
WORDS = ["sea", "ship", "whale", "mast", "crew", "deck", "storm", "line", "sail", "wind"]

DIFFERS = "changed: its SHA-256 differs from the manifest's"
EXTRA = "extra: the manifest does not name it"
AGAIN = "Run the same `textgen prepare` again"

Damage = Callable[[Path], None]


class Dataset:
    """A dataset as it was made, and how to make it again."""

    def __init__(self, folder: Path, kind: str):
        self.folder = folder / "data"
        corpus = folder / "corpus"
        corpus.mkdir(parents=True)
        random = np.random.default_rng(0)
        for i in range(2 * UNITS):
            lines = [" ".join(random.choice(WORDS, random.integers(0, 40))) for _ in range(20)]
            # Lines that repeat others, of the same unit and of others, and empty ones.
            (corpus / f"{i}.txt").write_text("\n".join([*lines, "call me ishmael", lines[3], ""]))
        self._input = f"{corpus}/*.txt"
        self._config = _config(kind)
        self.prepare(self.folder)
        self.content = contents(self.folder)

    def prepare(self, folder: Path) -> None:
        prepare([self._input], str(folder), self._config)

    def copy(self, folder: Path) -> Path:
        return shutil.copytree(self.folder, folder)


def _config(kind: str) -> PrepareConfig:
    if kind == "tail":
        text = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")
        return PrepareConfig(text=text, format="lines", window=6, split_by="tail", validation_percent=20)
    return PrepareConfig(
        text=TextConfig(), selection=SelectionConfig(duplicates="drop"), format="lines", keep_dropped=True,
        layout=kind, window=6, validation_percent=20, test_percent=20,
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def several_units():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "unit_bytes", lambda total_bytes, most: total_bytes // UNITS)
        yield


@pytest.fixture(scope="module")
def make(several_units: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Dataset]:
    made: dict[str, Dataset] = {}

    def make_once(kind: str) -> Dataset:
        if kind not in made:
            made[kind] = Dataset(tmp_path_factory.mktemp("faults") / kind, kind)
        return made[kind]

    return make_once


@pytest.fixture(params=KINDS)
def dataset(request: pytest.FixtureRequest, make: Callable[[str], Dataset]) -> Dataset:
    return make(request.param)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(folder: Path) -> list[str]:
    return [str(problem) for problem in verify(folder)]


def served(folder: Path) -> int:
    return sum(len(y) for _, y in read_pairs(folder, split="train", batch_size=64))


def shard(folder: Path, unit: int = 1) -> Path:
    return folder / f"train-{unit:06d}.tfrecord"


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def flip_byte(folder: Path) -> None:
    edit(shard(folder), lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:])


def cut_at_a_record(folder: Path) -> None:
    (length,) = struct.unpack_from("<Q", shard(folder).read_bytes())
    edit(shard(folder), lambda content: content[: length + 16])


def lose_a_shard(folder: Path) -> None:
    shard(folder).unlink()


def keep_a_stale_shard(folder: Path) -> None:
    shutil.copy(shard(folder), shard(folder, 99))


def take_a_shard_of_another_unit(folder: Path) -> None:
    shutil.copy(shard(folder, 2), shard(folder))


def lose_the_vocabulary(folder: Path) -> None:
    (folder / "vocabulary.jsonl").unlink()


def change_the_vocabulary(folder: Path) -> None:
    edit(folder / "vocabulary.jsonl", lambda content: content.replace(b'"e', b'"a').replace(b'["sea"', b'["see"'))


def lose_what_was_dropped(folder: Path) -> None:
    (folder / "dropped-000001.jsonl").unlink()


def change_what_was_dropped(folder: Path) -> None:
    edit(folder / "dropped-000001.jsonl", lambda content: content.replace(b"duplicate", b"duplicity"))


def keep_what_another_run_dropped(folder: Path) -> None:
    (folder / "dropped-000099.jsonl").write_text("{}\n")


def suffer_all_at_once(folder: Path) -> None:
    flip_byte(folder)
    shard(folder, 2).unlink()
    keep_a_stale_shard(folder)
    lose_the_vocabulary(folder)


UNIT_1, STALE = "train-000001.tfrecord (unit 1)", "train-000099.tfrecord"
MENDED = {
    flip_byte: [f"{UNIT_1}: {DIFFERS}"],
    cut_at_a_record: [f"{UNIT_1}: cut: "],
    lose_a_shard: [f"{UNIT_1}: missing"],
    keep_a_stale_shard: [f"{STALE}: {EXTRA}"],
    take_a_shard_of_another_unit: [f"{UNIT_1}: "],
    lose_the_vocabulary: ["vocabulary.jsonl: missing"],
    change_the_vocabulary: [f"vocabulary.jsonl: {DIFFERS}"],
    suffer_all_at_once: [
        f"{UNIT_1}: {DIFFERS}", "train-000002.tfrecord (unit 2): missing", "vocabulary.jsonl: missing",
        f"{STALE}: {EXTRA}",
    ],
}  # fmt: skip
OF_DROPPED = {
    lose_what_was_dropped: "dropped-000001.jsonl (unit 1): missing",
    change_what_was_dropped: f"dropped-000001.jsonl (unit 1): {DIFFERS}",
    keep_what_another_run_dropped: f"dropped-000099.jsonl: {EXTRA}",
}
UNREADABLE = {
    flip_byte: "(unit 1) differs from the manifest after byte",
    cut_at_a_record: "(unit 1) differs from the manifest after byte",
    lose_a_shard: "cannot be read: No such file",
    take_a_shard_of_another_unit: "(unit 1) differs from the manifest after byte",
}


def one_kind_each(damages: Iterable[Damage]) -> list[tuple[str, Damage]]:
    """Returns each damage with one kind of dataset; all kinds take turns."""
    return list(zip(itertools.cycle(KINDS), damages, strict=False))


ALONE = [damage for damage in MENDED if damage is not suffer_all_at_once]
TOGETHER = [(kind, suffer_all_at_once) for kind in KINDS]


@pytest.mark.parametrize(("kind", "damage"), [*one_kind_each(ALONE), *TOGETHER])
def test_a_fault_is_named_and_mended_to_the_byte(
    make: Callable[[str], Dataset], tmp_path: Path, kind: str, damage: Damage
) -> None:
    dataset = make(kind)
    folder = dataset.copy(tmp_path / "data")
    # An old time, by which a file that is written anew is known.
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    damage(folder)
    problems = told(folder)
    assert len(problems) == len(MENDED[damage])
    for problem, expected in zip(problems, MENDED[damage], strict=True):
        assert problem.startswith(expected)

    repair(str(folder), yes=True)
    assert contents(folder) == dataset.content
    assert verify(folder) == []
    units_made = {f"{unit:06d}" for unit in (1, 2) if f"(unit {unit})" in " ".join(problems)}
    for path in folder.iterdir():
        touched = path.stat().st_mtime > 1
        lost = path.name == "vocabulary.jsonl" and "vocabulary.jsonl" in " ".join(problems)
        of_unit = path.stem.partition("-")[2]
        assert touched == (lost or of_unit in units_made), path.name


@pytest.mark.parametrize("damage", OF_DROPPED)
def test_of_what_was_dropped_a_fault_is_named_and_mended_to_the_byte(
    make: Callable[[str], Dataset], tmp_path: Path, damage: Damage
) -> None:
    dataset = make("spans")
    folder = dataset.copy(tmp_path / "data")
    damage(folder)
    assert told(folder) == [OF_DROPPED[damage]]
    repair(str(folder), yes=True)
    assert contents(folder) == dataset.content
    assert verify(folder) == []


@pytest.mark.parametrize("damage", [lose_what_was_dropped, lose_a_shard])
def test_the_same_preparation_makes_what_is_missing_again(
    make: Callable[[str], Dataset], tmp_path: Path, damage: Damage
) -> None:
    dataset = make("spans")
    folder = dataset.copy(tmp_path / "data")
    damage(folder)
    dataset.prepare(folder)
    assert contents(folder) == dataset.content


@pytest.mark.parametrize("damage", UNREADABLE)
def test_the_loader_does_not_serve_what_is_damaged(dataset: Dataset, tmp_path: Path, damage: Damage) -> None:
    folder = dataset.copy(tmp_path / "data")
    damage(folder)
    with pytest.raises(Exception, match=re.escape(UNREADABLE[damage])) as failed:
        served(folder)
    message = str(user_error(failed.value))
    assert f"{shard(folder)} {UNREADABLE[damage]}" in message
    assert "`textgen repair` makes it again" in message


def lose_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def damage_the_manifest(folder: Path) -> None:
    edit(folder / "manifest.json", lambda content: content[:-200])


def change_the_accounts(folder: Path) -> None:
    edit(folder / "manifest.json", lambda content: content.replace(b'"replaced": 0', b'"replaced": 1', 1))


def lose_the_inputs(folder: Path) -> None:
    (folder / "inputs.jsonl").unlink()


def change_the_inputs(folder: Path) -> None:
    edit(folder / "inputs.jsonl", lambda content: content.replace(b"/0.txt", b"/9.txt"))


BEYOND_REPAIR = {
    lose_the_manifest: "is not a dataset: it has no manifest.json. Make one with `textgen prepare",
    damage_the_manifest: "manifest.json is damaged: it is not JSON: ",
    change_the_accounts: "manifest.json is damaged: its last field must be the SHA-256 of the lines before it, and",
    lose_the_inputs: f"inputs.jsonl: missing. It names the input files. {AGAIN}",
    change_the_inputs: f"inputs.jsonl: {DIFFERS}. It names the input files. {AGAIN}",
}


@pytest.mark.parametrize(("kind", "damage"), one_kind_each(BEYOND_REPAIR))
def test_what_can_not_be_repaired_is_refused_and_the_remedy_works(
    make: Callable[[str], Dataset], tmp_path: Path, kind: str, damage: Damage
) -> None:
    dataset = make(kind)
    folder = dataset.copy(tmp_path / "data")
    damage(folder)
    keep_a_stale_shard(folder)
    damaged = contents(folder)
    with pytest.raises(UserError) as refused:
        repair(str(folder), yes=True)
    assert BEYOND_REPAIR[damage] in str(refused.value)
    assert contents(folder) == damaged

    dataset.prepare(folder)
    repair(str(folder), yes=True)
    assert contents(folder) == dataset.content


def test_the_manifest_of_another_dataset_is_told_in_one_line_and_the_remedy_works(
    make: Callable[[str], Dataset], tmp_path: Path
) -> None:
    dataset, other = make("pairs"), make("spans")
    folder = dataset.copy(tmp_path / "data")
    shutil.copy(other.folder / "manifest.json", folder)
    damaged = contents(folder)
    (problem,) = told(folder)
    assert problem.startswith("manifest.json: foreign: of the ")
    with pytest.raises(Exception, match="UserError: .* differs from the manifest after byte"):
        served(folder)
    with pytest.raises(UserError, match=r"manifest\.json: foreign: .* Restore the dataset's own copy, or delete it"):
        repair(str(folder), yes=True)
    with pytest.raises(UserError, match="holds another dataset: layout is spans there and pairs here"):
        dataset.prepare(folder)
    assert contents(folder) == damaged

    (folder / "manifest.json").unlink()
    dataset.prepare(folder)
    assert contents(folder) == dataset.content


@pytest.mark.parametrize("change", [change_the_inputs, lambda folder: (folder / "notes.txt").write_text("mine")])
def test_of_a_folder_without_manifest_nothing_is_taken_that_may_be_anothers(
    make: Callable[[str], Dataset], tmp_path: Path, change: Damage
) -> None:
    dataset = make("spans")
    folder = dataset.copy(tmp_path / "data")
    lose_the_manifest(folder)
    change(folder)
    damaged = contents(folder)
    with pytest.raises(UserError, match=r"holds other files\. Name an empty folder"):
        dataset.prepare(folder)
    assert contents(folder) == damaged


def test_files_of_others_are_left_where_they_are(make: Callable[[str], Dataset], tmp_path: Path) -> None:
    dataset = make("spans")
    folder = dataset.copy(tmp_path / "data")
    keep_a_stale_shard(folder)
    lose_a_shard(folder)
    (folder / "notes.txt").write_text("mine")
    done = repair(str(folder), yes=True)
    assert [problem.file for problem in done.made] == [shard(folder).name]
    assert [problem.file for problem in done.removed] == [STALE]
    assert [problem.file for problem in done.left] == ["notes.txt"]
    assert contents(folder) == {**dataset.content, "notes.txt": b"mine"}
    assert told(folder) == [f"notes.txt: {EXTRA}"]
