"""Functions that make, estimate and repair datasets in this process, with Apache Beam."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pipelines import estimation, input_checks
from pipelines import prepare as preparing
from pipelines import repair as repairing
from pipelines.estimation import Estimate
from pipelines.inputs import Inputs
from pipelines.repair import Repair
from textgen import files
from textgen.api.keywords import PrepareSettings, prepare_config, with_settings
from textgen.api.process import ready_for_training, ready_to_write
from textgen.config import PrepareConfig
from textgen.dataset.storage.manifest import Manifest

if TYPE_CHECKING:
    from typing_extensions import Unpack

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Paths = PathLike | Iterable[PathLike]
"""One path or several: files, folders and globs, local or URLs."""


@with_settings("prepare")
def prepare(
    inputs: Paths,
    output: PathLike,
    *,
    preset: str | None = None,
    config: PrepareConfig | None = None,
    validation_input: Paths = (),
    test_input: Paths = (),
    vocabulary: PathLike | None = None,
    tokenizer_model: PathLike | None = None,
    beam_flags: Sequence[str] = (),
    **settings: "Unpack[PrepareSettings]",
) -> Manifest:
    """Prepares a dataset of (window, next token) pairs from text, CSV, TSV, JSONL or Parquet files.

    An interrupted preparation continues where it stopped when it is called again with the same arguments; a complete
    dataset is left as it is. Equal arguments give equal bytes, on any number of workers.

    Args:
        inputs: one path or several: files, folders and globs, local or remote (`gs://…`, `s3://…`).
        output: folder of the dataset, new or of an interrupted call.
        preset: named settings: `notebook`, `char`, `tokenized`, `prose`, `complaints` or
            `social`.
        config: all settings at once, in place of `preset` and `settings`.
        validation_input: files of the validation split, named as the inputs are; the inputs are then only those of
            training. By default a part of the inputs is held out.
        test_input: files of the test split, likewise.
        vocabulary: file of the tokens, one per line, or the `vocabulary.jsonl` of another dataset. By default the
            tokens are learned from the training split.
        tokenizer_model: model file of the SentencePiece tokenizer, or a `tokenizer.json` for the tokenizer `bpe`.
        beam_flags: options of Apache Beam, such as `["--runner=spark", "--spark-master=spark://host:7077"]`. By
            default threads use all cores of this machine.
        **settings: fields of `PrepareConfig`, `TextConfig` and `SelectionConfig` by name, such as
            `text_field="narrative"`, `tokenizer="char"` or `min_tokens=20`. They override the preset's. Their list
            is at the end of `help(textgen.prepare)`.

    Returns:
        The manifest of the dataset: its settings, the number of documents, tokens and pairs, and its shards.

    Raises:
        UserError: a setting is unknown or not allowed, an input cannot be read, the output folder holds something
            else or is being written by another process, or a held-out split would be empty.

    Example:
        >>> manifest = textgen.prepare("reviews.csv", "data", text_field="text", window=20)  # doctest: +SKIP
        >>> manifest.total.splits["train"].pairs  # doctest: +SKIP
        632391
    """
    held_out: dict[str, Any] = {"validation_input": _paths(validation_input), "test_input": _paths(test_input)}
    chosen, folder = prepare_config(config, preset, settings, **held_out), _path(output)
    with ready_to_write(folder, command="prepare"):
        return preparing.prepare(
            _paths(inputs),
            folder,
            chosen,
            beam_flags,
            **held_out,
            vocabulary=_path_if_given(vocabulary),
            tokenizer_model=_path_if_given(tokenizer_model),
        )


@with_settings("prepare")
def estimate(
    inputs: Paths,
    *,
    preset: str | None = None,
    config: PrepareConfig | None = None,
    validation_input: Paths = (),
    test_input: Paths = (),
    vocabulary: PathLike | None = None,
    tokenizer_model: PathLike | None = None,
    **settings: "Unpack[PrepareSettings]",
) -> Estimate:
    """Estimates from a sample of the corpus the size of a dataset, and the time that its preparation takes.

    Args:
        inputs: as for `prepare`.
        preset: as for `prepare`.
        config: as for `prepare`.
        validation_input: as for `prepare`.
        test_input: as for `prepare`.
        vocabulary: as for `prepare`.
        tokenizer_model: as for `prepare`.
        **settings: as for `prepare`.

    Returns:
        The expected number of documents, tokens and pairs, and for each layout the bytes on disk, the seconds on this
        machine, and the hours of one core.

    Raises:
        UserError: a setting is unknown or not allowed, an input cannot be read, or the sample has no text.

    Example:
        >>> textgen.estimate("reviews/*.jsonl.gz", text_field="text").pairs  # doctest: +SKIP
        51284013
    """
    held_out: dict[str, Any] = {"validation_input": _paths(validation_input), "test_input": _paths(test_input)}
    with ready_for_training():
        return estimation.estimate(
            _paths(inputs),
            prepare_config(config, preset, settings, **held_out),
            **held_out,
            vocabulary=_path_if_given(vocabulary),
            tokenizer_model=_path_if_given(tokenizer_model),
        )


def repair(
    data: PathLike,
    inputs: Paths = (),
    *,
    yes: bool = False,
    ask: Callable[[str], bool] | None = None,
    beam_flags: Sequence[str] = (),
) -> Repair:
    """Makes the damaged and missing files of a dataset again from its input files, and leaves the others untouched.

    The dataset names its input files. If somebody else made it, these may be any files of this machine, so they are
    shown and read only with `yes=True`, unless `inputs` names the same files.

    Args:
        data: folder of the dataset.
        inputs: the inputs that the dataset was made from, those of all splits together.
        yes: whether to read any input file that the dataset names.
        ask: function that is called with a question if neither is given, once the files are shown; it returns whether
            to read them.
        beam_flags: as for `prepare`.

    Returns:
        The problems, as `verify` finds them: of files that were made again, of files of other runs that were removed,
        and of unknown files that were left.

    Raises:
        UserError: the folder is not a dataset or is being written by another process, a damaged file cannot be made
            again, its input files are not those given or may not be read, or an input file has changed.

    Example:
        >>> textgen.repair("data", "reviews.csv").made  # doctest: +SKIP
        [Problem(file='train-000003.tfrecord', unit=3, what='missing')]
    """
    folder = _path(data)
    with ready_to_write(folder, command="repair", make=False):
        return repairing.repair(folder, beam_flags, inputs=_paths(inputs), yes=yes, ask=ask)


def list_inputs(
    inputs: Paths,
    *,
    config: PrepareConfig,
    output: PathLike | None = None,
    validation_input: Paths = (),
    test_input: Paths = (),
) -> dict[str, Inputs]:
    """Returns by split the files that `prepare` would read with these settings, and those that it would pass over.

    Args:
        inputs: as for `prepare`.
        config: settings of the preparation.
        output: folder of the dataset, from which nothing is read; None if there is none.
        validation_input: as for `prepare`.
        test_input: as for `prepare`.

    Raises:
        UserError: an input names no file, or a file cannot be read with these settings.
    """
    named = {"train": _paths(inputs), "validation": _paths(validation_input), "test": _paths(test_input)}
    return input_checks.inputs_of_splits(named, config, _path_if_given(output))


def _paths(inputs: Paths) -> list[str]:
    several = [inputs] if isinstance(inputs, (str, bytes, os.PathLike)) else inputs
    return [os.fsdecode(path) for path in several]


def _path(path: PathLike) -> str:
    return files.expand_home(os.fsdecode(path))


def _path_if_given(path: PathLike | None) -> str | None:
    return None if path is None else _path(path)
