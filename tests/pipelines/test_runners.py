import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam import pipeline as beam_pipeline
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.utils import interactive_utils

from pipelines import engines, runners
from textgen.errors import Terminated, UserError

SMALL, LARGE = 1, runners.PARALLEL_FROM_BYTES


def test_small_input_runs_in_this_process() -> None:
    engine = runners.start([], input_bytes=SMALL)
    assert engine.name == "this machine, 1 thread"
    assert not engine.noisy


def test_large_input_gets_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    engine = runners.start([], input_bytes=LARGE)
    assert engine.name == "this machine, 3 threads"
    assert not engine.noisy


def test_the_flags_may_ask_for_processes() -> None:
    flags = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    engine = runners.start(flags, input_bytes=SMALL)
    assert engine.name == "Beam's embedded engine, 2 workers, multi_processing"
    assert engine.noisy


@pytest.mark.parametrize("flags", [[], ["--runner=DirectRunner"]])
def test_temporary_files_are_in_a_given_folder(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, given = tmp_path / "t", tmp_path / "given"
    theirs.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(theirs))
    engine = runners.start(flags, input_bytes=SMALL, temporary_folder=given)
    assert given.is_dir() and list(theirs.iterdir()) == []
    _ = engine.pipeline | beam.Create([1])
    engine.pipeline.run().wait_until_finish()
    assert not given.exists()


@pytest.mark.parametrize("flags", [["--direct_num_workers=1"], ["--direct_num_workers", "1"]])
def test_the_number_of_workers_given_is_kept(flags: list[str]) -> None:
    assert runners.start(flags, input_bytes=LARGE).name == "this machine, 1 thread"
    flags = [*flags, "--runner=embedded"]
    assert runners.start(flags, input_bytes=LARGE).name == "Beam's embedded engine, 1 worker, in_memory"


@pytest.mark.parametrize("flag", ["--runner=DirectRunner", "--runner=embedded"])
def test_beams_direct_runner_is_the_embedded_one(flag: str) -> None:
    assert runners.start([flag], input_bytes=SMALL).name.startswith("Beam's embedded engine")


def test_another_runner_of_the_flags_is_used() -> None:
    engine = runners.start(["--runner=PortableRunner", "--job-endpoint=embed"], input_bytes=LARGE)
    assert (engine.name, engine.remote_name) == ("portable", "portable")


def test_beams_own_options_pass() -> None:
    runners.check_beam_flags(["--direct-num-workers=2", "--job_name", "x", "--project=p"])


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(UserError, match="neither textgen nor Beam knows"):
        runners.check_beam_flags(["--vocab-size=3"])


def test_a_relative_path_is_refused_where_workers_are_elsewhere() -> None:
    flags = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL"]
    flags.append("--environment_config=host:1")
    runners.check_beam_flags([], ["texts"])
    runners.check_beam_flags(flags, ["/texts", "s3://texts/*", "file:///texts"])
    with pytest.raises(UserError, match="texts is relative.*Write /.*/texts"):
        runners.check_beam_flags(flags, ["/data", "texts"])


@pytest.mark.parametrize("path", ["/texts", "texts", "file:///texts", "memory://texts"])
def test_a_path_of_this_machine_is_refused_where_workers_share_no_folder(path: str) -> None:
    options = PipelineOptions(["--runner=dataflow"])
    engines.check_paths(options, ["gs://texts", "s3://texts"])
    with pytest.raises(UserError, match=f"{path} is on this machine, .* dataflow share no folder .* gs://bucket"):
        engines.check_paths(options, [path])


class Cancelled:
    def __init__(self, error: type[Exception] | None):
        self.error, self.calls = error, 0

    def cancel(self) -> None:
        self.calls += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [None, NotImplementedError])
@pytest.mark.parametrize("signal", [KeyboardInterrupt, Terminated])
def test_a_signal_cancels_the_job(error: type[Exception] | None, signal: type[BaseException]) -> None:
    result = Cancelled(error)
    with pytest.raises(signal), runners.cancelled_by_signals(result):
        raise signal
    with runners.cancelled_by_signals(result):
        pass
    assert result.calls == 1


class SlowToPickle:
    """Gives a timer the time to strike while it is written."""

    def __init__(self, value: int):
        self.value = value

    def __reduce__(self) -> tuple:
        time.sleep(0.02)
        return SlowToPickle, (self.value,)


class MakeSlow(beam.DoFn):
    def process(self, value: int) -> Iterator[tuple[int, list[SlowToPickle]]]:
        yield value % 2, [SlowToPickle(value)]


class Values(beam.DoFn):
    def process(self, group: tuple[int, Iterable[list[SlowToPickle]]]) -> Iterator[int]:
        for slow in group[1]:
            yield slow[0].value


def test_worker_threads_lose_no_element_that_takes_long_to_write() -> None:
    engine = runners.start(["--direct_num_workers=2", "--direct_running_mode=multi_threading"], input_bytes=SMALL)
    with engine.pipeline as pipeline:
        numbers = pipeline | beam.Create(range(200)) | beam.Reshuffle()
        arrived = numbers | beam.ParDo(MakeSlow()) | beam.GroupByKey() | beam.ParDo(Values())
        assert_that(arrived, equal_to(list(range(200))))


def test_beam_takes_a_notebook_for_a_script_inside_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = (interactive_utils, beam_pipeline)
    for module in modules:
        monkeypatch.setattr(module, "is_in_ipython", lambda: True)
    with runners.without_interactive_beam():
        assert not any(module.is_in_ipython() for module in modules)
    assert all(module.is_in_ipython() for module in modules)
