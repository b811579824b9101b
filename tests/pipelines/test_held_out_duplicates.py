from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest

from pipelines import document_files, runners
from pipelines.document_files import DocumentTable
from pipelines.held_out_duplicates import HELD_OUT_DUPLICATE, FindHeldOutDuplicates
from pipelines.workspace import DUPLICATES, OVERLAP, TOKENS, Workspace
from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.dataset.storage.splits import new_digest

UNITS = (
    ("train", ("a", "b", "a", "c")),
    ("train", ("dropped", "e")),
    ("validation", ("a", "f", "e", "f")),
    ("test", ("f", "c", "g", "dropped")),
)


def workspace(folder: Path) -> Workspace:
    """Creates a workspace of UNITS, in which the training document "dropped" is dropped already."""
    made = Workspace(str(folder))
    for stage in (TOKENS, DUPLICATES, OVERLAP):
        Path(made.work_path(stage)).mkdir(parents=True)
    for unit, (split, texts) in enumerate(UNITS):
        lengths = np.ones(len(texts), np.int64)
        digests = np.frombuffer(b"".join(new_digest(text.encode()).digest() for text in texts), np.uint8)
        reasons = np.array(["too short" if (unit, text) == (1, "dropped") else "" for text in texts], object)
        documents = DocumentTable(
            digests.reshape(-1, 16), lengths, lengths, reasons, np.empty((len(texts), 0)),
            np.full(len(texts), SPLITS.index(split), np.int8),
        )  # fmt: skip
        document_files.write_documents(Path(made.unit_path(TOKENS, unit, "documents")), documents)
    return made


@pytest.mark.parametrize(
    ("treatment", "duplicates", "shared"),
    [
        ("keep", {}, {2: {"validation": 4}, 3: {"test": 2}}),
        ("drop", {0: [0, 2, 3], 1: [1]}, {2: {"validation": 2}, 3: {"test": 1}}),
    ],
)
def test_texts_that_two_splits_have_are_counted_and_dropped_from_training(
    tmp_path: Path, treatment: str, duplicates: dict, shared: dict
) -> None:
    made = workspace(tmp_path)
    config = PrepareConfig(text=TextConfig(), given_splits="validation,test", held_out_duplicates=treatment)
    units = [Unit(i, (FileRange(InputFile("", 0, 0.0, "lines"), 0, 0),)) for i in range(len(UNITS))]
    with beam.Pipeline(runner=runners.FnApiRunner()) as pipeline:
        _ = pipeline | FindHeldOutDuplicates(units, config, made)
    for unit in range(len(UNITS)):
        assert (made.recorded(DUPLICATES, unit) or {}).get(HELD_OUT_DUPLICATE, []) == duplicates.get(unit, [])
        assert (made.recorded(OVERLAP, unit) or {}) == shared.get(unit, {})
