import pickle
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.internal import pickler

from pipelines.chain_stages import BoundDoFn, StageWork, run_steps


class Multiply(beam.DoFn):
    set_up = 0

    def setup(self) -> None:
        Multiply.set_up += 1

    def process(self, value: int, factor: int) -> Iterator[tuple[int, int]]:
        yield value % 2, value * factor


class Sum(beam.DoFn):
    def process(self, group: tuple[int, list[int]]) -> list[tuple[int, int]]:
        return [(group[0], sum(group[1]))]


class Tagged(beam.DoFn):
    def process(self, value: int) -> Iterator[Any]:
        yield beam.pvalue.TaggedOutput("other", value)


def pickled(do: beam.DoFn, *arguments: Any) -> bytes:
    steps: bytes = pickler.dumps([BoundDoFn(do, arguments, {})])
    return steps


def test_steps_are_set_up_once_per_process() -> None:
    steps, before = pickled(Multiply(), 7), Multiply.set_up
    assert [list(run_steps(steps, [n])) for n in (1, 2)] == [[(1, 7)], [(0, 14)]]
    assert Multiply.set_up == before + 1


def test_results_that_will_be_grouped_are_under_their_keys() -> None:
    work = StageWork(pickled(Multiply(), 2), is_grouped=False, is_keyed=True)
    keys, results = zip(*work.run([pickle.dumps(n) for n in (1, 2, 3)]), strict=True)
    assert keys[0] == keys[2] != keys[1]
    assert [pickle.loads(result) for result in results] == [(1, 2), (0, 4), (1, 6)]


def test_the_pairs_of_a_group_are_one_element() -> None:
    work = StageWork(pickled(Sum()), is_grouped=True, is_keyed=False)
    ((key, result),) = work.run([pickle.dumps((1, 2)), pickle.dumps((1, 6))])
    assert (key, pickle.loads(result)) == ("", (1, 8))


def test_a_tagged_output_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="tags"):
        list(run_steps(pickled(Tagged()), [1]))
