"""Runs the jobs of a preparation in threads of this process, the default: without a server and worker processes.

The threads run in parallel, since most of the work is in compiled loops and in operations on arrays and graphs, which
release the interpreter lock.
"""

import pickle
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineRunner

from pipelines.chain import Ended, chain_of
from pipelines.chain_stages import StageWork
from pipelines.process_memory import release_unused


class ThreadRunner(PipelineRunner):
    """Runs a chain of steps. Elements pass between stages as bytes, as they do on other engines."""

    def __init__(self, threads: int):
        """Creates a runner with a number of threads, at least one."""
        super().__init__()
        self._threads = threads

    def run_pipeline(self, pipeline: beam.Pipeline, options: PipelineOptions) -> PipelineResult:
        """Runs a pipeline to its end.

        Raises:
            NotImplementedError: it is not a chain.
            Exception: a step raised it. What other threads were working on is done to its end, and no more begun.
        """
        chain = chain_of(pipeline)
        elements = [[pickle.dumps(value)] for value in chain.values]
        for work in chain.stage_work():
            results = self._run(work, elements)
            elements = _groups(results) if work.is_keyed else [[result] for _, result in results]
        return Ended()

    def _run(self, work: StageWork, elements: Sequence[list[bytes]]) -> list[tuple[str, bytes]]:
        """Returns the results of a stage, in the order of the elements or groups."""
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="worker")
        done = [pool.submit(_run_and_release, work, each) for each in elements]
        try:
            wait(done, return_when=FIRST_EXCEPTION)
        finally:
            # A signal waits for nothing.
            pool.shutdown(wait=False, cancel_futures=True)
        pool.shutdown(wait=True)
        # A future that was cancelled comes after one that failed.
        return [result for each in done for result in each.result()]


def _run_and_release(work: StageWork, elements: list[bytes]) -> list[tuple[str, bytes]]:
    """Returns the results for elements, and gives the memory that they needed back to the system."""
    try:
        return work.run(elements)
    finally:
        release_unused()


def _groups(results: Sequence[tuple[str, bytes]]) -> list[list[bytes]]:
    """Returns the results of each key, in the order of their first occurrence."""
    found: dict[str, list[bytes]] = {}
    for key, result in results:
        found.setdefault(key, []).append(result)
    return list(found.values())
