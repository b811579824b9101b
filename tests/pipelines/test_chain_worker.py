import io
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam

from pipelines.chain import chain_of
from pipelines.chain_stages import StageWork
from pipelines.chain_worker import read_message, write_message

ROOT = Path(__file__).parents[2]


class Sum(beam.DoFn):
    def process(self, group: Any) -> Iterator[Any]:
        print("noise")
        yield group[0], sum(group[1])


def answers(work: StageWork, *messages: list[Any]) -> list[Any]:
    """Returns what a worker process answers."""
    given = io.BytesIO()
    for message in (tuple(work), *([pickle.dumps(each) for each in each_message] for each_message in messages)):
        write_message(given, pickle.dumps(message))
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines.chain_worker"],
        input=given.getvalue(), capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    received = io.BytesIO(ended.stdout)
    return [pickle.loads(message) for message in iter(lambda: read_message(received) or b"", b"")]


def steps(*transforms: beam.PTransform) -> bytes:
    pipeline = beam.Pipeline()
    flow = pipeline | beam.Create([1])
    for number, transform in enumerate(transforms):
        flow = flow | str(number) >> transform
    return chain_of(pipeline).stages[-1].steps


def test_a_group_is_summed_and_keyed_again() -> None:
    first, second = answers(StageWork(steps(beam.ParDo(Sum())), True, True), [("a", 1), ("a", 2)], [("b", 3)])
    assert [pickle.loads(result) for _, result in (*first, *second)] == [("a", 3), ("b", 3)]
    assert first[0][0] != second[0][0] != ""


def test_an_error_is_answered_with_its_traceback_and_the_next_message_is_done() -> None:
    failed, done = answers(StageWork(steps(beam.ParDo(Sum())), False, False), [3], [("a", [1, 2])])
    assert "TypeError" in failed and "Traceback" in failed
    assert [(key, pickle.loads(result)) for key, result in done] == [("", ("a", 3))]
