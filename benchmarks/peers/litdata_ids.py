"""Token ids by litdata: `optimize` with its loader of tokens, one input file a worker."""

import json
import time
from collections.abc import Iterator
from functools import partial

import job
import litdata
import numpy as np
import torch
from litdata.streaming.item_loader import TokensLoader


def encode(path: str, vocabulary: str) -> Iterator[torch.Tensor]:
    """The ids of each document."""
    for ids in job.document_ids(path, vocabulary):
        yield torch.from_numpy(np.array(ids, np.uint16))


def main() -> None:
    given = job.arguments()
    started = time.monotonic()
    litdata.optimize(
        partial(encode, vocabulary=given.vocabulary),
        inputs=given.corpus,
        output_dir=str(given.output),
        chunk_bytes="64MB",
        num_workers=len(given.corpus),
        item_loader=TokensLoader(),
        # A file a worker; from the queue that is the default, one worker may take both.
        keep_data_ordered=True,
        reorder_files=False,
        start_method="fork",
        verbose=False,
    )
    seconds = time.monotonic() - started
    index = json.loads((given.output / "index.json").read_text())
    job.report(seconds, given.output.iterdir(), tokens=sum(chunk["dim"] for chunk in index["chunks"]))


if __name__ == "__main__":
    main()
