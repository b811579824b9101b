from pathlib import Path

import apache_beam as beam

from pipelines import runners
from pipelines.commit import CommitManifest
from pipelines.plan import Plan
from pipelines.workspace import Workspace
from textgen.config import VOCABULARY_FILE, PrepareConfig, TextConfig
from textgen.corpus.readers.base import InputFile
from textgen.dataset import read_manifest
from textgen.dataset.storage.manifest import UnitReport
from textgen.text.vocabulary import most_frequent


def test_the_manifest_has_the_reports_of_all_units_in_order(tmp_path: Path) -> None:
    words = most_frequent({"a": 9, "b": 8}, 2)
    (tmp_path / VOCABULARY_FILE).write_bytes(words.to_bytes())
    plan = Plan(PrepareConfig(text=TextConfig()), (InputFile("a.txt", 3, 1.0, "document"),))
    reports = [UnitReport(unit=unit, bytes=unit, documents=2, dropped={"empty": 2}) for unit in (2, 0, 1)]
    with beam.Pipeline(runner=runners.FnApiRunner()) as pipeline:
        results = pipeline | beam.Create([report.to_json() for report in reports])
        _ = results | CommitManifest(plan, Workspace(str(tmp_path)))
    made = read_manifest(tmp_path)
    assert made.units == (reports[1], reports[2], reports[0])
    assert (made.config, made.fingerprint, made.inputs_sha256) == (
        plan.config,
        plan.fingerprint(),
        plan.inputs_sha256(),
    )
    assert (made.vocabulary_size, made.vocabulary_sha256) == (6, words.fingerprint())
    assert made.warnings == []
    assert not list((tmp_path / "_work").iterdir())
