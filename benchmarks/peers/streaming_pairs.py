"""Pairs by MosaicML streaming: as streaming_ids.py, but each window of 44 ids and the id after it is a sample."""

import job
import numpy as np
import streaming_ids


def main() -> None:
    streaming_ids.write_all(write_pairs)


def write_pairs(path: str, vocabulary: str, folder: str) -> tuple[int, int]:
    """Every id is a target once."""
    known = job.vocabulary(vocabulary)
    tokens = 0
    # Slices of the document's bytes: several times faster than `ndarray:uint16:44` and `uint16`.
    with streaming_ids.MDSWriter(columns={"x": "bytes", "y": "bytes"}, out=folder) as writer:
        for text in job.documents(path):
            ids = job.ids(text, known)
            tokens += len(ids)
            data = np.array([0] * job.WINDOW + ids, np.uint16).tobytes()
            for at in range(0, 2 * len(ids), 2):
                end = at + 2 * job.WINDOW
                writer.write({"x": data[at:end], "y": data[end : end + 2]})
    return tokens, tokens


if __name__ == "__main__":
    main()
