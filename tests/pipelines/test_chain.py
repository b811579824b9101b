from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

import textgen
from pipelines import jobs, unit_lists
from pipelines.chain import chain_of
from pipelines.chain_stages import encode_key, grouped, run_steps


class Multiply(beam.DoFn):
    def __init__(self, factor: int):
        self._factor = factor

    def process(self, value: Any) -> Iterator[Any]:
        yield value % 2, value * self._factor


class Sum(beam.DoFn):
    def process(self, group: Any) -> list[Any]:
        return [(group[0], sum(group[1]))]


class AtTheEnd(beam.DoFn):
    def process(self, value: int) -> None:
        pass

    def finish_bundle(self) -> None:
        pass


class Windowed(beam.DoFn):
    def process(self, value: int, window: Any = beam.DoFn.WindowParam) -> list[int]:
        return [value]


def _add(value: Any, other: Any) -> list[Any]:
    return [value + other]


def run(pipeline: beam.Pipeline) -> list[Any]:
    """Runs a chain as an engine would."""
    elements, stages = chain_of(pipeline)
    results: list[Any] = list(elements)
    for stage in stages:
        if stage.is_grouped:
            found: dict[bytes, list[Any]] = {}
            for key, pair in map(encode_key, results):
                found.setdefault(key, []).append(pair)
            results = list(map(grouped, found.items()))
        results = list(run_steps(stage.steps, results))
    return results


def test_a_chain_gives_what_beam_gives() -> None:
    pipeline = beam.Pipeline()
    numbers = pipeline | beam.Create([1, 2, 3, 4]) | beam.Reshuffle()
    _ = numbers | beam.FlatMap(_add, 10) | beam.ParDo(Multiply(2)) | beam.GroupByKey() | beam.ParDo(Sum())
    assert sorted(run(pipeline)) == [(0, 2 * (12 + 14)), (1, 2 * (11 + 13))]


def test_steps_between_exchanges_are_one_stage() -> None:
    pipeline = beam.Pipeline()
    keyed = pipeline | beam.Create([1]) | beam.Reshuffle() | beam.FlatMap(_add, 1) | beam.WithKeys(None)
    _ = keyed | beam.GroupByKey() | beam.ParDo(Sum()) | "Again" >> beam.Reshuffle() | "Last" >> beam.ParDo(Sum())
    assert [stage.is_grouped for stage in chain_of(pipeline).stages] == [False, True, False]


@pytest.mark.parametrize("do", [AtTheEnd(), Windowed()])
def test_what_would_lose_data_is_refused(do: beam.DoFn) -> None:
    pipeline = beam.Pipeline()
    _ = pipeline | beam.Create([1]) | "Unknown" >> beam.ParDo(do)
    with pytest.raises(NotImplementedError, match="'Unknown'"):
        chain_of(pipeline)


def test_two_branches_are_refused() -> None:
    pipeline = beam.Pipeline()
    numbers = pipeline | beam.Create([1])
    _ = numbers | "One" >> beam.ParDo(Sum())
    _ = numbers | "Two" >> beam.ParDo(Sum())
    with pytest.raises(NotImplementedError, match="'Two'"):
        chain_of(pipeline)


def test_other_steps_and_side_inputs_are_refused() -> None:
    pipeline = beam.Pipeline()
    other = beam.pvalue.AsList(pipeline | beam.Create([1]))
    _ = pipeline | "More" >> beam.Create([2]) | beam.FlatMap(_add, other)
    with pytest.raises(NotImplementedError):
        chain_of(pipeline)


@pytest.mark.parametrize("most", [0, unit_lists.MAX_IN_JOB])
def test_every_job_of_a_preparation_is_a_chain(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_lists, "MAX_IN_JOB", most)
    run_by, chains = jobs.runners.start, []

    def start(*arguments: Any, **settings: Any) -> Any:
        engine = run_by(*arguments, **settings)
        started = engine.pipeline.run

        def run() -> Any:
            chains.append(chain_of(engine.pipeline))
            return started()

        engine.pipeline.run = run
        return engine

    monkeypatch.setattr(jobs.runners, "start", start)
    (tmp_path / "texts").write_text("\n".join(f"a text of number {n} and {n * n}" for n in range(300)))
    settings: Any = {"format": "lines", "duplicates": "drop", "near_duplicates": 0.8, "window": 3}
    textgen.prepare(tmp_path / "texts", tmp_path / "data", **settings)
    assert len(chains) >= 5
