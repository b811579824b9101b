import importlib.util

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines import spark
from textgen.errors import UserError


def test_pyspark_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the package pyspark.*\[spark\]"):
        spark.require_pyspark()


def test_options() -> None:
    given = PipelineOptions(["--spark_master=local[2]"]).view_as(spark.SparkOptions)
    assert (given.spark_master, given.spark_python) == ("local[2]", None)
