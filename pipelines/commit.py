"""Commits the dataset at the end of a preparation: writes the manifest from the reports of all units."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from pipelines.census import Census, frequent_unknown, read_census, write_tokenizer
from pipelines.claims import committed
from pipelines.manifest_size import too_large
from pipelines.plan import Plan
from pipelines.recorded_plan import parse_plan
from pipelines.workspace import Workspace
from textgen.dataset.storage import passed_over
from textgen.dataset.storage.manifest import FILE_NAME, INPUTS_FILE, MAX_BYTES, PASSED_OVER_FILE, Manifest, UnitReport
from textgen.dataset.storage.warnings import Figures, warnings
from textgen.text import vocabulary


class CommitManifest(beam.PTransform):
    """Writes `manifest.json` once all results of WriteUnit are available, and returns its path."""

    def __init__(self, plan: Plan, workspace: Workspace):
        super().__init__()
        self._write = WriteManifest(plan, workspace)

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the steps."""
        return (
            results
            | "KeyReports" >> beam.ParDo(KeyReport())
            | "GroupReports" >> beam.GroupByKey()
            | "WriteManifest" >> beam.ParDo(self._write)
        )


class KeyReport(beam.DoFn):
    """Keys every report by None, so that they are grouped together."""

    def process(self, result: dict[str, Any]) -> Iterator[tuple[None, dict[str, Any]]]:
        """Yields one pair per report."""
        yield None, result


class WriteManifest(beam.DoFn):
    """Writes the manifest from all reports."""

    def __init__(self, plan: Plan, workspace: Workspace):
        # A plan may have a million files, so only the values that the manifest needs are sent to the workers.
        self._config, self._fingerprint, self._inputs = plan.config, plan.fingerprint(), plan.inputs_sha256()
        self._files, self._workspace = len(plan.files), workspace

    def process(self, results: tuple[None, Iterable[dict[str, Any]]]) -> Iterator[str]:
        """Writes the file and yields its path.

        Raises:
            UserError: an input file has changed since the command began, or the manifest is too large to be read.
        """
        parse_plan(self._workspace.read(INPUTS_FILE) or b"", self._config).check_unchanged_while_read()
        reports = [UnitReport.from_json(result) for result in results[1]]
        learned = vocabulary.load(self._workspace.directory)
        names = self._workspace.read(PASSED_OVER_FILE) or b""
        tokenizer = write_tokenizer(learned, self._config, self._workspace)
        made = Manifest(
            config=self._config,
            fingerprint=self._fingerprint,
            vocabulary_size=learned.size,
            vocabulary_sha256=learned.fingerprint(),
            tokens_sha256=learned.tokens_fingerprint(),
            inputs_sha256=self._inputs,
            files=self._files,
            passed_over=passed_over.count_reasons(passed_over.parse(names)),
            passed_over_sha256=_sha256(names),
            tokenizer_sha256=_sha256(tokenizer),
            **self._findings(reports, learned),
            units=tuple(sorted(reports, key=_unit)),
        )
        content = made.to_bytes()
        if len(content) > MAX_BYTES:
            raise too_large(len(content))
        self._workspace.publish_if_changed(FILE_NAME, content)
        yield self._workspace.path(FILE_NAME)

    def _findings(self, reports: list[UnitReport], learned: vocabulary.Vocabulary) -> dict[str, Any]:
        """Returns what the counting of the text found, by its name in the manifest.

        If the text is not counted again, it is that of the manifest before.
        """
        census = read_census(self._config, self._workspace)
        if census is None:
            before = committed(self._workspace)
            names = ("warnings", "unknown_examples")
            return {name: getattr(before, name) for name in names} if before else {}
        return {
            "warnings": self._warnings(reports, learned, census),
            "unknown_examples": frequent_unknown(census.counts, learned, self._config),
        }

    def _warnings(self, reports: list[UnitReport], learned: vocabulary.Vocabulary, census: Census) -> list[str]:
        splits = UnitReport.total(reports).splits
        return warnings(
            Figures(
                config=self._config,
                splits=splits,
                documents={split: counts.documents for split, counts in splits.items()},
                vocabulary_sizes=census.vocabulary_sizes,
                equal_documents=census.equal_documents,
                vocabulary=len(learned.tokens),
                unused=learned.unused(),
            )
        )


def _sha256(content: bytes) -> str:
    """Returns the SHA-256 of a file's content; empty if there is no file."""
    return hashlib.sha256(content).hexdigest() if content else ""


def _unit(report: UnitReport) -> int:
    return report.unit
