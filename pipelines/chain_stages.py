"""The stages of a chain, and their steps on a worker: pickled elements in, pickled results out."""

import functools
import pickle
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import FastPrimitivesCoder
from apache_beam.internal import pickler

_KEYS = FastPrimitivesCoder()


class BoundDoFn(NamedTuple):
    """A DoFn and the further arguments of its `process`."""

    do: beam.DoFn
    arguments: tuple[Any, ...]
    named: dict[str, Any]


class ExecutableStage(NamedTuple):
    """Consecutive ParDos, which a worker runs without an exchange of data between them.

    Attributes:
        is_grouped: whether the input is first grouped by key; else it is only spread over the workers.
        steps: the DoFns and their arguments, pickled.
    """

    is_grouped: bool
    steps: bytes


class StageWork(NamedTuple):
    """Work of workers on the elements of a stage.

    Attributes:
        steps: steps of the stage.
        is_grouped: whether the elements that are given together are the pairs of a group.
        is_keyed: whether the results are pairs that will be grouped by key; else keys are empty.
    """

    steps: bytes
    is_grouped: bool
    is_keyed: bool

    def run(self, elements: Sequence[bytes]) -> list[tuple[str, bytes]]:
        """Returns the key of each result and the result, pickled, for pickled elements."""
        given = [pickle.loads(element) for element in elements]
        results = run_steps(self.steps, [grouped((b"", given))] if self.is_grouped else given)
        return [_keyed(result) if self.is_keyed else ("", pickle.dumps(result)) for result in results]


def _keyed(pair: tuple[Any, Any]) -> tuple[str, bytes]:
    return encode_key(pair)[0].hex(), pickle.dumps(pair)


def run_steps(steps: bytes, elements: Iterable[Any]) -> Iterator[Any]:
    """Returns the results of the steps of a stage for elements; a thread sets up the steps of a stage once."""
    flow = iter(elements)
    for step in _OWN.load(steps):
        flow = _run(step, flow)
    return flow


class _OwnSteps(threading.local):
    """The steps that a thread has set up."""

    def __init__(self) -> None:
        self.load = functools.lru_cache(maxsize=2)(_load)


def _load(steps: bytes) -> list[BoundDoFn]:
    loaded: list[BoundDoFn] = pickler.loads(steps)
    for step in loaded:
        step.do.setup()
    return loaded


_OWN = _OwnSteps()


def _run(step: BoundDoFn, elements: Iterator[Any]) -> Iterator[Any]:
    for element in elements:
        for result in step.do.process(element, *step.arguments, **step.named) or ():
            if isinstance(result, beam.pvalue.TaggedOutput):
                raise NotImplementedError(
                    f"outputs with tags are not passed on by this engine, and {type(step.do).__name__} has one with "
                    f"the tag {result.tag!r}; each step must have one output. Use another engine."
                )
            yield result


def encode_key(pair: tuple[Any, Any]) -> tuple[bytes, tuple[Any, Any]]:
    """Returns a (key, value) pair under its key as bytes, by which equal keys are found on any engine."""
    return _KEYS.encode(pair[0]), pair


def grouped(group: tuple[bytes, Iterable[tuple[Any, Any]]]) -> tuple[Any, list[Any]]:
    """Returns the key of pairs that were grouped by `encode_key`, and the list of their values."""
    pairs = list(group[1])
    return pairs[0][0], [value for _, value in pairs]
