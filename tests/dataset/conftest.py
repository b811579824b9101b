"""Datasets written straight from sequences of ids, and the pairs that they must hold."""

import functools
import hashlib
from typing import NamedTuple

import numpy as np
import pytest

from textgen.config import BOS, EOS, VOCABULARY_FILE, PrepareConfig, TextConfig
from textgen.dataset.storage import windows
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import FILE_NAME, INPUTS_FILE, Manifest, UnitReport
from textgen.dataset.storage.records import RecordFormat
from textgen.dataset.storage.shards import ShardWriter
from textgen.text.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def naive_pairs():
    """The pairs of one sequence by the definition, as (list of W ids, id)."""

    def pairs(ids, *, window, stride=1):
        made = []
        for p in range(1, len(ids), stride):
            x = [int(number) for number in ids[max(0, p - window) : p]]
            made.append((x + [0] * (window - len(x)), int(ids[p])))
        return made

    return pairs


@pytest.fixture(scope="session")
def build_dataset():
    """Writes a dataset: for each unit the documents of each split, as ids without [BOS] and [EOS].

    `boundaries` says whether these are written around each document; without them, no document may be empty.
    `writer` is a layout object that writes in place of the one of that name, to write shorter spans.
    """

    def build(
        folder,
        units,
        *,
        layout="pairs",
        window=3,
        stride=1,
        boundaries=True,
        vocabulary_size=1000,
        block_pairs=8,
        writer=None,
    ):
        folder.mkdir(parents=True)
        config = PrepareConfig(text=TextConfig(), layout=layout, window=window, stride=stride, boundaries=boundaries)
        vocabulary = _vocabulary_file(vocabulary_size)
        (folder / VOCABULARY_FILE).write_bytes(vocabulary.content)
        encode = functools.partial(
            (writer or LAYOUTS[layout]).encode, written=RecordFormat(window, stride, vocabulary_size)
        )
        reports = tuple(_write_unit(folder, i, unit, encode, block_pairs, boundaries) for i, unit in enumerate(units))
        manifest = Manifest(
            config=config,
            fingerprint="f" * 64,
            vocabulary_size=vocabulary_size,
            vocabulary_sha256=vocabulary.sha256,
            tokens_sha256=vocabulary.tokens_sha256,
            inputs_sha256=hashlib.sha256(b"").hexdigest(),
            units=reports,
        )
        (folder / FILE_NAME).write_bytes(manifest.to_bytes())
        (folder / INPUTS_FILE).write_bytes(b"")
        return folder

    return build


class _VocabularyFile(NamedTuple):
    content: bytes
    sha256: str
    tokens_sha256: str


@functools.cache
def _vocabulary_file(size: int) -> _VocabularyFile:
    """Makes each vocabulary once: a property test writes many datasets with a large one."""
    made = Vocabulary(tuple(f"w{i}" for i in range(4, size)), tuple(range(size, 4, -1)))
    assert made.size == size
    return _VocabularyFile(made.to_bytes(), made.fingerprint(), made.tokens_fingerprint())


def _write_unit(folder, unit, documents_by_split, encode, block_pairs, boundaries):
    report = UnitReport(unit=unit)
    before, after = ([BOS], [EOS]) if boundaries else ([], [])
    for split, documents in documents_by_split.items():
        name = f"{split}-{unit:06d}.tfrecord"
        writer = ShardWriter(folder / name, block_pairs=block_pairs)
        for document in documents:
            sequences = windows.sequences([np.array([*before, *document, *after], np.int64)])
            for made in encode(sequences):
                writer.write(made)
                report.splits[split].pairs += int(made.pairs.sum())
            report.splits[split].documents += 1
            report.splits[split].tokens += len(document)
            report.documents += 1
            report.kept += 1
        report.shards.append(writer.close(name=name, split=split, unit=unit))
    return report
