import threading
import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest

from pipelines.local import ThreadRunner

BEGUN: list[int] = []
SET_UP: list[str] = []
SUMS: list[Any] = []


class Number(beam.DoFn):
    def setup(self) -> None:
        SET_UP.append(threading.current_thread().name)

    def process(self, value: int) -> Iterator[tuple[int, int]]:
        # The first is done last.
        time.sleep(0.05 if value == 0 else 0.01)
        yield value % 2, value


class Sum(beam.DoFn):
    def process(self, group: Any) -> Iterator[tuple[int, list[int]]]:
        yield group[0], list(group[1])


class Fail(beam.DoFn):
    def process(self, value: int) -> None:
        BEGUN.append(value)
        if value == 1:
            raise ValueError("value is 1")
        time.sleep(0.05)
        BEGUN.append(value)


def collect(value: Any) -> None:
    SUMS.append(value)


@pytest.fixture(autouse=True)
def nothing() -> None:
    for found in (BEGUN, SET_UP, SUMS):
        found.clear()


@pytest.mark.parametrize("threads", [1, 3])
def test_groups_and_their_values_are_in_the_order_of_the_elements(threads: int) -> None:
    pipeline = beam.Pipeline(runner=ThreadRunner(threads))
    numbers = pipeline | beam.Create(range(8)) | beam.Reshuffle() | beam.ParDo(Number())
    _ = numbers | beam.GroupByKey() | beam.ParDo(Sum()) | beam.Map(collect)
    assert pipeline.run().wait_until_finish() == "DONE"
    assert sorted(SUMS) == [(0, [0, 2, 4, 6]), (1, [1, 3, 5, 7])]
    assert len(SET_UP) == len(set(SET_UP)) <= threads


def test_the_error_of_a_step_is_raised_and_nothing_else_is_begun() -> None:
    pipeline = beam.Pipeline(runner=ThreadRunner(2))
    _ = pipeline | beam.Create(range(20)) | beam.Reshuffle() | beam.ParDo(Fail())
    with pytest.raises(ValueError, match="^value is 1$"):
        pipeline.run()
    begun, ended = set(BEGUN), {value for value in BEGUN if BEGUN.count(value) == 2}
    assert 1 in begun and len(begun) < 6
    assert begun - ended == {1}


def test_a_pipeline_without_elements_ends() -> None:
    pipeline = beam.Pipeline(runner=ThreadRunner(2))
    _ = pipeline | beam.Create([]) | beam.ParDo(Number()) | beam.GroupByKey() | beam.ParDo(Sum()) | beam.Map(collect)
    pipeline.run()
    assert SUMS == []
