"""Numbers of a manifest that contradict each other, each of which may have a right form."""

import dataclasses

import pytest

from textgen.config import PrepareConfig, TextConfig
from textgen.config.schema import SchemaError
from textgen.dataset.storage.accounts import check
from textgen.dataset.storage.shards import Block, Blocks, Shard
from textgen.dataset.storage.split_counts import SplitCounts
from textgen.dataset.storage.unit_report import UnitReport

CONFIG = PrepareConfig(text=TextConfig())
SHARD = Shard(
    name="train-000000.tfrecord", split="train", unit=0, records=7, pairs=7, bytes=700, sha256="0" * 64,
    blocks=Blocks([Block(400, 4, 4, 1), Block(300, 3, 3, 2)]),
)  # fmt: skip
TRAIN = SplitCounts(documents=2, characters=30, tokens=5, unknown=1, pairs=7)


def unit(**changes):
    values = {
        "unit": 0, "bytes": 100, "documents": 3, "kept": 2, "dropped": {"empty": 1}, "replaced": 1,
        "splits": {"train": TRAIN}, "shards": [SHARD], "duplicates": {"repeated": [0, 2]}, **changes,
    }  # fmt: skip
    return UnitReport(**values)


def train(**changes):
    return {"train": dataclasses.replace(TRAIN, **changes)}


def test_numbers_of_a_preparation_agree():
    check([unit()], CONFIG)
    check([], CONFIG)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"documents": 4}, "the documents of unit 0 are 4, and their parts add up to 3"),
        ({"documents": 4, "kept": 3}, "the kept documents of unit 0 are 3, and their parts add up to 2"),
        ({"splits": {}}, "the train pairs of unit 0 are 0, and their parts add up to 7"),
        ({"shards": [dataclasses.replace(SHARD, bytes=1)]}, "the bytes of train-000000.tfrecord are 1, and their"),
        ({"shards": [dataclasses.replace(SHARD, pairs=0, records=0, bytes=0, blocks=Blocks())],
          "splits": train(pairs=0)},
         "the blocks of train-000000.tfrecord are 0; by the other numbers they must be 1 to 0"),
        ({"replaced": 4}, "the documents with replaced characters of unit 0 are 4; by .* 0 to 3"),
        ({"splits": train(unknown=6)}, "the unknown train tokens of unit 0 are 6; by .* 0 to 5"),
        ({"splits": train(documents=3)}, "the train documents of unit 0 are 3; by .* 0 to 2"),
        ({"splits": train(tokens=6)}, "the train pairs of unit 0 are 7; by .* 8 to 8"),
        ({"splits": train(tokens=4)}, "the train pairs of unit 0 are 7; by .* 6 to 6"),
        ({"shared": {"test": 1}}, "the shared test documents of unit 0 are 1; by .* 0 to 0"),
        ({"duplicates": {"repeated": [1, 1]}}, "the indices of the duplicates of unit 0 .* do not rise"),
        ({"duplicates": {"repeated": [3]}}, "the indices of the duplicates of unit 0 .* end with 3; the unit has 3"),
        ({"bytes": 1 << 53}, "the bytes of all units are 9,007,199,254,740,992; they must be at most"),
    ],
)  # fmt: skip
def test_numbers_that_contradict_each_other_are_named(changes, message):
    with pytest.raises(SchemaError, match=f"^{message}"):
        check([unit(**changes)], CONFIG)


@pytest.mark.parametrize(
    ("changes", "fewest", "most"),
    [
        ({}, 7, 7),
        ({"boundaries": False}, 3, 3),
        ({"stride": 3}, 3, 3),
        ({"split_by": "tail"}, 3, 7),
        ({"split_by": "tail", "boundaries": False}, 3, 3),
        ({"split_by": "tail", "stride": 2}, 2, 4),
    ],
)
def test_the_pairs_follow_from_the_tokens_and_the_settings(changes, fewest, most):
    config = dataclasses.replace(CONFIG, **changes)
    for pairs in range(10):
        blocks = Blocks([Block(99, pairs, pairs, 1)])
        shard = dataclasses.replace(SHARD, records=pairs, pairs=pairs, bytes=99, blocks=blocks)
        made = unit(splits=train(pairs=pairs), shards=[shard] if pairs else [])
        if fewest <= pairs <= most:
            check([made], config)
        else:
            with pytest.raises(SchemaError, match="the train pairs of unit 0 are"):
                check([made], config)
