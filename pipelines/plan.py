"""What a preparation is made of: the files that were named, looked at before any work begins."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from pipelines.inputs import check_unchanged, find_inputs, read_options
from textgen import files
from textgen.config import PrepareConfig, to_json
from textgen.corpus import units
from textgen.corpus.formats import READERS
from textgen.corpus.units import InputFile, Unit
from textgen.dataset import LAYOUTS
from textgen.dataset.storage import manifest
from textgen.errors import UserError, require
from textgen.text.tokenizers import make_tokenizer
from textgen.text.vocabulary import Vocabulary, parse_user_vocabulary


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a preparation makes: two of the same fingerprint make the same bytes.

    Attributes:
        config: the settings.
        files: the corpus.
        vocabulary: one that was given; None where it is learned.
        tokenizer_model: the content of the file of a tokenizer that comes with one.
    """

    config: PrepareConfig
    files: tuple[InputFile, ...]
    vocabulary: Vocabulary | None = None
    tokenizer_model: bytes = b""

    @property
    def total_bytes(self) -> int:
        """The input bytes of all files."""
        return sum(file.size for file in self.files)

    def units(self, *, unit_bytes: int | None = None) -> list[Unit]:
        """Returns the units of the files.

        Args:
            unit_bytes: the size wanted of a unit; None for that of a preparation.
        """
        return units.plan_units(
            self.files,
            unit_bytes=unit_bytes
            or units.unit_bytes(self.total_bytes, most=LAYOUTS[self.config.layout].max_unit_bytes),
            open_file=files.open_file,
            options=read_options(self.config),
        )

    def check_unchanged(self) -> None:
        """Raises UserError unless every file is as it was when the plan was made."""
        for file in self.files:
            check_unchanged(file)

    def inputs(self) -> bytes:
        """The content of `inputs.jsonl`: a file a line, as `[path, size, modified, format]`."""
        return "".join(json.dumps(dataclasses.astuple(file)) + "\n" for file in self.files).encode()

    def inputs_sha256(self) -> str:
        """SHA-256 of `inputs`, as hexadecimal digits."""
        return hashlib.sha256(self.inputs()).hexdigest()

    def fingerprint(self) -> str:
        """SHA-256 over the settings, the files with their sizes and times, and the versions that shape the bytes."""
        values = {
            "config": to_json(self.config),
            "inputs": self.inputs_sha256(),
            "manifest": manifest.VERSION,
            "tensorflow-text": version("tensorflow-text"),
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def parse_plan(inputs: bytes, config: PrepareConfig) -> Plan:
    """Returns the plan of a dataset, given its `inputs.jsonl` and its settings."""
    return Plan(config, tuple(InputFile(*json.loads(line)) for line in inputs.decode().splitlines()))


def make_plan(
    inputs: Sequence[str],
    config: PrepareConfig,
    *,
    vocabulary: str | None = None,
    tokenizer_model: str | None = None,
) -> Plan:
    """The plan of a preparation, with what was given read.

    Raises:
        UserError: a file is not there or can't be read as asked.
    """
    model, given = b"", None
    if tokenizer_model or config.text.tokenizer == "sentencepiece":
        model = _tokenizer_model(tokenizer_model, config)
        text = dataclasses.replace(config.text, tokenizer_model=hashlib.sha256(model).hexdigest())
        config = dataclasses.replace(config, text=text)
    tokenizer = make_tokenizer(config.text, model)
    if vocabulary:
        given = parse_user_vocabulary(_content(vocabulary, "--vocabulary"), vocabulary)
        strange = [token for token in given.tokens if not tokenizer.is_token(token)]
        require(
            not strange,
            f"{vocabulary} holds {strange[:1]}, which is no token of the {config.text.tokenizer} tokenizer. "
            "Take it out, or choose another --tokenizer.",
        )
        config = dataclasses.replace(config, given_vocabulary=given.fingerprint())
    return Plan(config, tuple(_checked_inputs(inputs, config)), given, model)


def _tokenizer_model(path: str | None, config: PrepareConfig) -> bytes:
    require(
        config.text.tokenizer == "sentencepiece",
        f"--tokenizer-model is of sentencepiece, and the tokenizer is {config.text.tokenizer}. "
        "Say --tokenizer sentencepiece, or leave it out.",
    )
    if path is None:
        raise UserError("the sentencepiece tokenizer comes with a model. Name its file with --tokenizer-model.")
    return _content(path, "--tokenizer-model")


def _content(path: str, option: str) -> bytes:
    if not files.is_remote(path) and Path(path).is_dir():
        raise UserError(f"{path} is a folder. Name a file after {option}.")
    content = files.read_if_present(path)
    if content is None:
        raise UserError(f"there is no file {path}. Check the path after {option}.")
    return content


def _checked_inputs(inputs: Sequence[str], config: PrepareConfig) -> list[InputFile]:
    found = find_inputs(inputs, config.format)
    if not found:
        raise UserError(f"the files of {' '.join(inputs)} are all empty. Name files that hold text.")
    for file in found:
        READERS[file.format].check(file.path, files.open_file, read_options(config))
    if config.text_field and not any(READERS[file.format].has_columns for file in found):
        formats = ", ".join(name for name, reader in READERS.items() if reader.has_columns)
        raise UserError(
            f"--text-field is {config.text_field!r}, but no input file has columns. "
            f"Leave it out, or use one of these values of --format: {formats}."
        )
    return found
