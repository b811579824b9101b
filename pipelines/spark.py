"""Runs the jobs of a preparation on Apache Spark with PySpark: the cluster needs no server and no jar of Beam."""

import importlib.util
import os
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineRunner

from pipelines.chain import Ended, chain_of
from pipelines.chain_stages import encode_key, grouped, run_steps
from textgen.errors import require

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext

_MAX_TASKS = 10_000
"""A unit is a task of its own up to this number; more tasks would take the driver longer than they save."""

_TASKS_PER_CORE = 2
"""Number of tasks per core of the cluster after an exchange of data. A task that is repeated finds the results of the
units that were done."""


class SparkOptions(PipelineOptions):
    """Options of this engine."""

    @classmethod
    def _add_argparse_args(cls, parser: Any) -> None:
        parser.add_argument("--spark_master", default=None, help="master of Spark, as spark://host:7077 or local[2]")
        parser.add_argument(
            "--spark_python", default=None, help="Python of the workers, in which textgen is installed"
        )


class PySparkRunner(PipelineRunner):
    """Runs a chain of steps as operations on resilient distributed datasets."""

    def __init__(self, options: PipelineOptions):
        super().__init__()
        self._options = options.view_as(SparkOptions)

    def run_pipeline(self, pipeline: beam.Pipeline, options: PipelineOptions) -> PipelineResult:
        """Runs a pipeline to its end.

        Raises:
            NotImplementedError: it is not a chain.
            RuntimeError: Spark gave up the job.
        """
        from py4j.protocol import Py4JError

        values, stages = chain_of(pipeline)
        context = _context(self._options)
        data = context.parallelize(values, max(1, min(len(values), _MAX_TASKS)))
        tasks = _TASKS_PER_CORE * context.defaultParallelism
        try:
            for number, stage in enumerate(stages):
                if number:
                    data = (_grouped if stage.is_grouped else _spread)(data, tasks)
                data = data.mapPartitions(partial(run_steps, stage.steps))
            # Makes Spark compute it, and leaves the results on the workers.
            data.foreachPartition(_take_all)
        except Py4JError as error:
            # Its message has the traceback of the worker, if there is one.
            raise RuntimeError(str(error)) from None
        return Ended()


def require_pyspark() -> None:
    """Checks that PySpark is installed.

    Raises:
        UserError: it is not.
    """
    found = importlib.util.find_spec("pyspark") is not None
    require(
        found, "--runner spark needs the package pyspark in the version of the cluster. Install the extra [spark]."
    )


def _context(options: SparkOptions) -> "SparkContext":
    """Returns the process's SparkContext: that of the caller, or of an earlier job, or a new one."""
    from pyspark import SparkConf, SparkContext

    os.environ.setdefault("PYSPARK_PYTHON", options.spark_python or sys.executable)
    settings = SparkConf().setAppName("textgen prepare").set("spark.ui.showConsoleProgress", "false")
    if options.spark_master:
        settings.setMaster(options.spark_master)
    return SparkContext.getOrCreate(settings)


def _grouped(data: "RDD[Any]", tasks: int) -> "RDD[Any]":
    return data.map(encode_key).groupByKey(tasks, zlib.crc32).map(grouped)


def _spread(data: "RDD[Any]", tasks: int) -> "RDD[Any]":
    # `repartition` moves elements in batches, so that a few of them would all go to one task.
    return data.mapPartitions(enumerate).partitionBy(tasks, int).values()


def _take_all(results: Iterator[Any]) -> None:
    for _ in results:
        pass
