from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.dataset.loading import document_batches
from textgen.dataset.loading.document_batches import read_documents
from textgen.dataset.storage.layouts.spans import Spans
from textgen.errors import UserError

UNITS = [{"train": [[10, 11, 12, 13, 14], [20]]}, {"train": [[30, 31]], "test": [[40]]}]


@pytest.fixture
def folder(build_dataset, tmp_path: Path) -> Path:
    return build_dataset(tmp_path / "data", UNITS, layout="spans", block_pairs=4)


def _rows(batches) -> list[tuple[list[int], list[int]]]:
    """Returns the ids of each row that was read, from its beginning to its end, and its targets."""
    done, reading = [], []
    for x, y, fresh in batches:
        if fresh:
            done += reading
            reading = [([], []) for _ in x]
        done += reading[len(x) :]
        reading = reading[: len(x)]
        assert (x[:, 0] > 0).all() and not (y[x == 0]).any()
        for (ids, targets), row, following in zip(reading, x.tolist(), y.tolist(), strict=True):
            ids += [token for token in row if token]
            targets += [token for token in following if token]
    return done + reading


def test_the_batches_of_documents_equal_those_worked_by_hand(folder: Path):
    found = [
        (x.tolist(), y.tolist(), fresh) for x, y, fresh in read_documents(folder, split="train", rows=2, positions=6)
    ]
    assert found == [
        ([[2, 10, 11], [2, 30, 31]], [[10, 11, 12], [30, 31, 3]], True),
        ([[12, 13, 14]], [[13, 14, 3]], False),
        ([[2, 20]], [[20, 3]], True),
    ]


def test_all_splits_are_read(folder: Path):
    (batch,) = read_documents(folder, split="all", rows=9, positions=100)
    assert sorted(batch.y[batch.y > 0]) == [3, 3, 3, 3, 10, 11, 12, 13, 14, 20, 30, 31, 40]


@given(
    st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=5), min_size=1, max_size=3),
    st.sampled_from(["pairs", "spans"]),
    st.integers(1, 4),
    st.integers(1, 30),
    st.sampled_from([3, 10, 50, 1000]),
)
@settings(max_examples=60, deadline=None)
def test_each_document_is_read_once_from_its_beginning(
    build_dataset, tmp_path_factory, lengths, layout, rows, positions, group_ids
):
    units, token, expected = [], 10, []
    for unit in lengths:
        made = [list(range(token := token + 41, token + length)) for length in unit]
        units.append({"train": made})
        expected += [([2, *document], [*document, 3]) for document in made]
    folder = build_dataset(
        tmp_path_factory.mktemp("documents") / "data",
        units,
        layout=layout,
        block_pairs=15,
        writer=Spans(max_targets=10) if layout == "spans" else None,
    )
    batches = list(read_documents(folder, split="train", rows=rows, positions=positions, group_ids=group_ids))
    assert sorted(_rows(batches)) == sorted(expected)
    for x, _, _ in batches:
        assert len(x) <= rows and x.size <= max(positions, len(x))


@pytest.mark.parametrize("group_ids", [40, 1000])
def test_a_long_document_is_divided_into_stretches_after_a_warm_up(
    build_dataset, tmp_path: Path, monkeypatch, group_ids
):
    monkeypatch.setattr(document_batches, "WARM_UP", 5)
    document = list(range(10, 109))
    units = [{"train": [document, [200]]}]
    folder = build_dataset(tmp_path / "data", units, layout="spans", block_pairs=7, writer=Spans(max_targets=7))
    batches = read_documents(folder, split="train", rows=3, positions=30, max_targets=20, group_ids=group_ids)
    found, ids = sorted(_rows(batches)), [2, *document, 3]
    assert sorted(sum((targets for _, targets in found), [])) == sorted([*ids[1:], 200, 3])
    for x, targets in found:
        if 200 in targets:
            continue
        assert len(targets) <= 20
        # The row ends with its targets, and starts at the document or with five ids before the first target.
        first = ids.index(targets[0])
        assert x == ids[max(0, first - 5) : first + len(targets) - 1]


@pytest.mark.parametrize(
    ("settings", "split", "message"),
    [
        ({"stride": 2, "layout": "spans"}, "train", r"stride of .* is 2; .* Prepare it with --stride 1\."),
        ({"window": 1}, "train", r"windows of 1 token do not tell .* begin\. Prepare it with --layout spans\."),
        ({}, "validation", "the validation split of this dataset is empty"),
    ],
)
def test_a_dataset_without_documents_is_refused_before_anything_is_read(
    build_dataset, tmp_path: Path, settings, split, message
):
    folder = build_dataset(tmp_path / "data", UNITS, **settings)
    with pytest.raises(UserError, match=message):
        read_documents(folder, split=split, rows=2, positions=6)


def test_a_damaged_shard_is_an_error(folder: Path):
    (shard,) = folder.glob("train-000001*")
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match="differs from the manifest"):
        list(read_documents(folder, split="train", rows=2, positions=6))
