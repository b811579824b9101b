"""Token ids by MosaicML streaming: one MDSWriter per process, one sample per document, then one merged index."""

import multiprocessing
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import job
import numpy as np

# Its __init__ imports these for its loaders of images and of batches; their absence leaves the writer as it is.
sys.modules["torchvision.datasets"] = SimpleNamespace(VisionDataset=object)
sys.modules["torchvision.transforms.functional"] = SimpleNamespace(to_tensor=None)
sys.modules["transformers.feature_extraction_utils"] = SimpleNamespace(BatchFeature=dict)
sys.modules["transformers.tokenization_utils_base"] = SimpleNamespace(BatchEncoding=dict)
sys.modules["transformers.models.auto.tokenization_auto"] = SimpleNamespace(AutoTokenizer=None)

from streaming import MDSWriter  # noqa: E402
from streaming.base.util import merge_index  # noqa: E402


def main() -> None:
    write_all(write_ids)


def write_all(write: Callable[[str, str, str], tuple[int, int]]) -> None:
    """Runs `write(file, vocabulary, folder) -> (tokens, pairs)` in one process per file of the corpus."""
    given = job.arguments()
    started = time.monotonic()
    tasks = [(path, given.vocabulary, str(given.output / str(i))) for i, path in enumerate(given.corpus)]
    with multiprocessing.get_context("fork").Pool(len(tasks)) as pool:
        counts = pool.starmap(write, tasks)
    merge_index(str(given.output))
    seconds = time.monotonic() - started
    tokens, pairs = map(sum, zip(*counts, strict=True))
    job.report(seconds, given.output.rglob("*"), tokens=tokens, pairs=pairs)


def write_ids(path: str, vocabulary: str, folder: str) -> tuple[int, int]:
    """A document's ids as the bytes of uint16s, which is less work for the writer than an array."""
    tokens = 0
    with MDSWriter(columns={"ids": "bytes"}, out=folder) as writer:
        for ids in job.document_ids(path, vocabulary):
            tokens += len(ids)
            writer.write({"ids": np.array(ids, np.uint16).tobytes()})
    return tokens, 0


if __name__ == "__main__":
    main()
