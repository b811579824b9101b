"""Lists of a dataset whose SHA-256 is as the manifest records it, and whose content contradicts the manifest."""

import dataclasses
import hashlib
import json

import pytest

from textgen.dataset import read_manifest, verify
from textgen.dataset.storage.passed_over import PassedOver, to_lines

INPUT = {
    "path": "a.txt", "size": 3, "modified": 1.5, "format": "lines", "compression": [], "encoding": "utf-8",
    "split": None, "member": None,
}  # fmt: skip


@pytest.fixture
def seal(build_dataset, tmp_path):
    """Writes a file of a dataset and a manifest with its SHA-256 and other changes; returns what `verify` finds."""
    folder = build_dataset(tmp_path / "data", [{"train": [[5, 6, 7]]}], vocabulary_size=9)

    def seal(name, content, **changes):
        (folder / name).write_bytes(content)
        recorded = {f"{name.partition('.')[0]}_sha256": hashlib.sha256(content).hexdigest(), **changes}
        changed = dataclasses.replace(read_manifest(folder), **recorded)
        (folder / "manifest.json").write_bytes(changed.to_bytes())
        return [str(problem) for problem in verify(folder)]

    return seal


def test_lists_of_a_preparation_agree_with_its_manifest(seal):
    assert seal("inputs.jsonl", json.dumps(INPUT).encode() + b"\n", files=1) == []
    names = to_lines([PassedOver("b.txt", "empty"), PassedOver("c.txt", "hidden")])
    assert seal("passed_over.jsonl", names, passed_over={"empty": 1, "hidden": 1}) == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'["w4", 9]\n' * 4, "its number of lines is 4; it must be 5"),
        (b'["w4", 9]\n' * 5, "row 2 has the token 'w4', as row 1 has; tokens must differ"),
        (b'["w4", "9"]\n' * 5, "line 1: count is '9'; it must be a whole number"),
        (b"".join(b'["w%d", 1]\n' % i for i in (5, 4, 6, 7, 8)), "its tokens have the SHA-256 "),
    ],
)
def test_a_vocabulary_that_contradicts_the_manifest_is_a_problem_of_the_manifest(seal, content, found):
    (problem,) = seal("vocabulary.jsonl", content)
    assert problem.startswith(f"manifest.json: contradicts vocabulary.jsonl: {found}")


def test_other_counts_of_the_tokens_are_no_contradiction(seal):
    assert seal("vocabulary.jsonl", b"".join(b'["w%d", 1]\n' % i for i in range(4, 9))) == []


@pytest.mark.parametrize(
    ("content", "files", "found"),
    [
        (json.dumps(INPUT).encode(), 2, "its number of lines is 1; it must be 2"),
        (
            json.dumps({**INPUT, "split": "test"}).encode(),
            1,
            "line 1: split is 'test'; in this dataset it must be null",
        ),
        (b"\x1b[2J", 1, "line 1: it is not JSON"),
    ],
)
def test_inputs_that_contradict_the_manifest_are_a_problem_of_the_manifest(seal, content, files, found):
    (problem,) = seal("inputs.jsonl", content, files=files)
    assert problem.startswith(f"manifest.json: contradicts inputs.jsonl: {found}")


def test_other_reasons_than_the_manifest_counts_are_a_problem_of_the_manifest(seal):
    (problem,) = seal("passed_over.jsonl", to_lines([PassedOver("b.txt", "hidden")]), passed_over={"empty": 1})
    assert (
        problem
        == "manifest.json: contradicts passed_over.jsonl: it has other numbers of files by reason than passed_over"
    )
