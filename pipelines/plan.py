"""Plans a preparation: finds and checks all its input files before any work begins."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence

from pipelines.given_tokens import read_given_tokens
from pipelines.input_checks import checked_inputs
from pipelines.inputs import (
    PassedOver,
    check_all,
    check_unchanged,
    check_unchanged_while_read,
    count_reasons,
    read_options,
)
from pipelines.manifest_size import require_readable_manifest
from pipelines.unit_readings import made_by
from textgen import files
from textgen.config import PrepareConfig, names_of_given
from textgen.corpus import units
from textgen.dataset import LAYOUTS
from textgen.text.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class Plan:
    """Inputs and settings of a preparation; plans with the same fingerprint give datasets with the same bytes.

    Attributes:
        config: the settings.
        files: the files of the corpus.
        vocabulary: the vocabulary given by the user; None if it is learned.
        tokenizer_model: content of the tokenizer's model file; empty for a tokenizer without one.
        passed_over: the files that were found with those of the corpus and are not read.
    """

    config: PrepareConfig
    files: tuple[units.InputFile, ...]
    vocabulary: Vocabulary | None = None
    tokenizer_model: bytes = b""
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def total_bytes(self) -> int:
        """Number of input bytes of all files."""
        return sum(file.size for file in self.files)

    def units(self, *, unit_bytes: int | None = None) -> list[units.Unit]:
        """Returns the units of the files.

        Args:
            unit_bytes: target size of a unit; None for the size that a preparation uses.
        """
        return units.plan_units(
            self.files,
            unit_bytes=unit_bytes
            or units.unit_bytes(self.total_bytes, most=LAYOUTS[self.config.layout].max_unit_bytes),
            open_file=files.open_file,
            options=read_options(self.config),
        )

    def check_unchanged(self) -> None:
        """Checks that no input file has changed since the plan was made.

        Raises:
            UserError: a file has changed or is missing.
        """
        check_all(self.files, check_unchanged)

    def check_unchanged_while_read(self) -> None:
        """Checks that no input file has changed since the command began.

        Raises:
            UserError: a file has changed or is missing.
        """
        check_all(self.files, check_unchanged_while_read)

    def inputs(self) -> bytes:
        """Returns the content of `inputs.jsonl`: one line per file, an object with the fields of `InputFile`."""
        return "".join(json.dumps(dataclasses.asdict(file)) + "\n" for file in self.files).encode()

    def passed_over_reasons(self) -> dict[str, int]:
        """Returns the number of files that are not read, by reason."""
        return count_reasons(self.passed_over)

    def inputs_sha256(self) -> str:
        """Returns the SHA-256 of `inputs`, as hexadecimal digits."""
        return hashlib.sha256(self.inputs()).hexdigest()

    def fingerprint(self) -> str:
        """Returns the SHA-256 of all that determines the dataset's bytes, as hexadecimal digits.

        This is the settings, the files with their sizes and times, and the versions of the manifest and of
        TensorFlow Text.
        """
        values = {**made_by(self.config), "inputs": self.inputs_sha256()}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def make_plan(
    inputs: Sequence[str],
    config: PrepareConfig,
    *,
    output: str | None = None,
    validation_input: Sequence[str] = (),
    test_input: Sequence[str] = (),
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
) -> Plan:
    """Returns the plan of a preparation; reads the given vocabulary and model, and checks the input files.

    Args:
        inputs: files, folders and globs, as paths or URLs.
        config: the settings of the preparation.
        output: folder of the new dataset, from which nothing is read; None if there is none.
        validation_input: files of the validation split, named as the inputs are; empty to hold out some of these.
        test_input: files of the test split, likewise.
        vocabulary: path or URL of a file of tokens to use; None to learn the vocabulary.
        tokenizer_model: path or URL of the tokenizer's model file; None for a tokenizer without one.

    Raises:
        UserError: a file is missing or can't be read with these settings, the vocabulary has a token that the
            tokenizer does not produce, a model is given for a tokenizer without one or missing for one with one, or
            the manifest would be too large to be read.
    """
    named = {"train": inputs, "validation": validation_input, "test": test_input}
    config = dataclasses.replace(config, given_splits=names_of_given(validation=validation_input, test=test_input))
    given = read_given_tokens(config.text, vocabulary=vocabulary, tokenizer_model=tokenizer_model)
    config = given.recorded_in(config)
    found = checked_inputs(named, config, output)
    plan = Plan(config, tuple(found.files), given.vocabulary, given.model, tuple(found.passed_over))
    require_readable_manifest(plan.total_bytes, config)
    return plan
