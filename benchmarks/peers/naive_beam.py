"""Pairs by the pipeline one writes first: Beam, words split in Python, a tf.train.Example built in Python a window.

Runs where textgen is installed, with google-crc32c beside it: without, Beam writes no TFRecords, or slowly.
"""

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import job
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


class CutWindows(beam.DoFn):
    """A line → a serialized Example for every id: the ids before it, and itself."""

    def __init__(self, vocabulary: str):
        self.vocabulary = vocabulary

    def setup(self) -> None:
        self.known = job.vocabulary(self.vocabulary)

    def process(self, line: str) -> Iterator[bytes]:
        ids = [self.known.get(word, 1) for word in line.lower().split()]
        for p, y in enumerate(ids):
            x = ids[max(0, p - job.WINDOW) : p]
            feature = {"x": integers(x + [0] * (job.WINDOW - len(x))), "y": integers([y])}
            yield tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def integers(values: list[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def main() -> None:
    given = job.arguments()
    started = time.monotonic()
    # The worker processes import `job` too.
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    mode = "multi_processing" if len(given.corpus) > 1 else "in_memory"
    options = PipelineOptions(direct_num_workers=len(given.corpus), direct_running_mode=mode)
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=options)
    # A quoted row of the CSV is a line of text to it, as every document here is one line.
    (
        pipeline
        | "NameFiles" >> beam.Create(given.corpus)
        | "ReadLines" >> beam.io.ReadAllFromText(skip_header_lines=1)
        | "CutWindows" >> beam.ParDo(CutWindows(given.vocabulary))
        | "WriteRecords" >> beam.io.WriteToTFRecord(str(given.output / "pairs"))
    )
    pipeline.run().wait_until_finish()
    seconds = time.monotonic() - started
    files = sorted(given.output.iterdir())
    pairs = sum(records(path.read_bytes()) for path in files)
    job.report(seconds, files, tokens=pairs, pairs=pairs)


def records(data: bytes) -> int:
    """How many records a TFRecord file holds: each is a length of 8 bytes, 4 of check, itself and 4 of check."""
    count = at = 0
    while at < len(data):
        at += struct.unpack_from("<Q", data, at)[0] + 16
        count += 1
    return count


if __name__ == "__main__":
    main()
