"""Random changes of the records of a shard, under checksums that are right: refused, or read as ids."""

import random
import resource
import struct
import time

import numpy as np
import pytest

from tests.dataset.block_contents import pack, reseal, shard_blocks
from textgen.dataset import read_pairs, verify
from textgen.dataset.loading.document_batches import read_documents
from textgen.dataset.loading.loader import read_sequences
from textgen.dataset.storage import framing
from textgen.dataset.storage.contamination import measure_contamination
from textgen.dataset.storage.manifest import read_manifest
from textgen.errors import user_error

SHARD = "train-000000.tfrecord"
WINDOW, SIZE = 5, 400
SEEDS = 60
SECONDS, MEMORY = 5.0, 300 << 20
LENGTHS = (0, 1, 17, 255, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 16, (1 << 64) - 1)


def changed(block, chance):
    """A block with a few changes of its bytes, which keeps its size more often than not."""
    block = bytearray(block)
    for _ in range(chance.choice((1, 1, 2, 5))):
        place, kind = chance.randrange(len(block)), chance.random()
        if kind < 0.3:
            block[place] = chance.randrange(256)
        elif kind < 0.45:
            block[place] ^= 0x80
        elif kind < 0.6:
            # Lengths of records are at the start of a block, and wherever the ids put them.
            place = chance.choice((0, 0, place))
            block[place : place + 8] = struct.pack("<Q", chance.choice(LENGTHS))[: len(block) - place]
        elif kind < 0.75:
            size = chance.choice((2, 9, 60))
            block[place : place + size] = bytes([chance.choice((0, 0x7F, 0x80, 0xFF))]) * min(
                size, len(block) - place
            )
        elif kind < 0.9:
            other = chance.randrange(len(block))
            size = chance.randrange(40)
            piece = block[other : other + size]
            block[place : place + len(piece)] = piece[: len(block) - place]
        elif kind < 0.95:
            del block[place : place + chance.choice((1, 4, 16))]
        else:
            block[place:place] = chance.randbytes(chance.choice((1, 4, 16)))
    return bytes(block) or b"\0"


def changed_record(block, chance):
    """A block with a record that is changed, under framing that is right."""
    records, place = [], 0
    while place < len(block):
        end = place + 12 + int.from_bytes(block[place : place + 8], "little")
        records.append(block[place + 12 : end])
        place = end + 4
    index = chance.randrange(len(records))
    records[index] = changed(records[index], chance)
    return bytes(framing.frame(pack([(record, 1) for record in records]))[0])


def require_ids(*arrays):
    for array in arrays:
        assert array.min() >= 0
        assert array.max() < SIZE


def by_pairs(folder):
    for x, y in read_pairs(folder, batch_size=16, seed=0).as_numpy_iterator():
        require_ids(x, y)


def by_pairs_in_order(folder):
    for x, y in read_pairs(folder, batch_size=7, seed=None).as_numpy_iterator():
        require_ids(x, y)


def by_rows(folder):
    for x, y in read_sequences(folder, batch_size=2, window=4).as_numpy_iterator():
        require_ids(x, y)


def by_documents(folder):
    for batch in read_documents(folder, split="train", rows=4, positions=64):
        require_ids(batch.x, batch.y)


READERS = {
    "pairs": (by_pairs, by_pairs_in_order, by_documents, measure_contamination, verify),
    "spans": (by_pairs, by_pairs_in_order, by_rows, by_documents, measure_contamination, verify),
}


def outcome(read, folder):
    """Whether a reader refuses a dataset; it does neither in another way than by one line, nor without a bound."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        refused = bool(read(folder)) if read is verify else read(folder) is NotImplemented
    except Exception as error:
        found = user_error(error)
        if found is None:
            raise
        assert "\n" not in str(found)
        refused = True
    assert time.process_time() - started < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MEMORY
    return refused


@pytest.fixture(params=["pairs", "spans"])
def folder(request, build_dataset, tmp_path):
    numbers = np.random.RandomState(0)
    train = [numbers.randint(4, SIZE, size).tolist() for size in (1, 0, 30, 3, 90)]
    units = [{"train": train, "test": [[5, 6, 7] * 9]}]
    return build_dataset(
        tmp_path / "data", units, layout=request.param, window=WINDOW, vocabulary_size=SIZE, block_pairs=40
    )


def test_changed_records_are_refused_in_one_line_or_give_ids_of_the_vocabulary(folder):
    layout = read_manifest(folder).config.layout
    sound = shard_blocks(folder, SHARD)
    seen = set()
    for seed in range(SEEDS):
        chance = random.Random(f"{layout} {seed}")
        blocks = list(sound)
        index = chance.randrange(len(blocks))
        change = chance.choice((changed, changed_record))
        blocks[index] = change(blocks[index], chance)
        reseal(folder, SHARD, blocks)
        reader = READERS[layout][seed % len(READERS[layout])]
        seen.add(outcome(reader, folder))
    assert seen == {True, False}
    reseal(folder, SHARD, sound)
    assert not [reader for reader in READERS[layout] if outcome(reader, folder)]
