"""Setup of a run: its settings, and checks of its datasets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textgen import runs
from textgen.config import (
    ALL_SPLITS,
    TOKENIZER_FILE,
    VOCABULARY_FILE,
    AdaptationConfig,
    NeuralCacheConfig,
    to_json,
)
from textgen.console import printable, say
from textgen.dataset import Data, read_manifest, weights_of
from textgen.dataset.storage.manifest import FILE_NAME, Manifest
from textgen.errors import UserError, require
from textgen.files import join
from textgen.text import vocabulary
from textgen.training.data import ValidationSource
from textgen.training.output_folder import held_folder as held_folder


def config_for(manifest: Manifest, *, window: int | None = None, **settings: Any) -> runs.RunConfig:
    """Returns the settings of a new run on a dataset.

    Args:
        manifest: the dataset's manifest.
        window: number of tokens of context; None for the dataset's.
        settings: `model` and `train` of `RunConfig`.

    Raises:
        UserError: the settings contradict each other; see `RunConfig`.
    """
    return runs.RunConfig(
        text=manifest.text,
        window=manifest.config.window if window is None else window,
        vocabulary_size=manifest.vocabulary_size,
        tokens_sha256=manifest.tokens_sha256,
        boundaries=manifest.config.boundaries,
        **settings,
    )


def read_manifests(data: Data, config: runs.RunConfig, *, run: Path | None = None) -> dict[str, Manifest]:
    """Reads the manifest of every dataset and checks that the run can train on it.

    Args:
        data: one dataset, or a mixture of datasets.
        config: settings of the run.
        run: folder of the run if it is resumed, which the remedy names; None for a new run, whose vocabulary is that
            of the first dataset.

    Returns:
        Manifests by the folder or URL of their dataset.

    Raises:
        UserError: a dataset is damaged, or has another vocabulary than the run.
        OSError: a file can't be read.
    """
    manifests = {directory: read_manifest(directory) for directory in weights_of(data)}
    origin = join(str(run), runs.FILE_NAME) if run else _settings_of(next(iter(manifests)))
    for directory, manifest in manifests.items():
        check_vocabulary(directory, manifest, config, origin=origin)
    return manifests


def validation_source(
    data: Data, manifests: Mapping[str, Manifest], validation_data: str | Path | None, config: runs.RunConfig
) -> ValidationSource:
    """Returns the datasets on which a run is validated, and says which split of a dataset of its own it is.

    A dataset of a mixture without validation targets is left out, with a warning.

    Args:
        data: the data that is trained on.
        manifests: its manifests.
        validation_data: dataset to validate on: its validation split, or all of it if it has none; None for the
            validation split of `data`.
        config: settings of the run.

    Raises:
        UserError: the dataset has another vocabulary or cleaning than the run.
        OSError: a file can't be read.
    """
    if validation_data is None:
        return _own_validation(data, manifests)
    manifest = read_manifest(validation_data)
    check_same_text(validation_data, manifest, config, origin=_settings_of(next(iter(manifests))))
    split = "validation" if manifest.counts("validation").pairs else ALL_SPLITS
    source = ValidationSource(validation_data, split, (manifest,))
    what = "all" if split == ALL_SPLITS else "the validation split"
    say(f"validation: {what} of {printable(str(validation_data))}, {manifest.counts(split).pairs:,} targets")
    return source


_MORE_VALIDATION = "Prepare with a higher --validation-percent, or name --validation-data."
_UNVALIDATED = (
    f"without validation, early stopping and the best checkpoint follow the training loss. {_MORE_VALIDATION}"
)


def _own_validation(data: Data, manifests: Mapping[str, Manifest]) -> ValidationSource:
    """Returns the validation splits of the datasets that have one, and says which have none."""
    missing = [str(name) for name, manifest in manifests.items() if not manifest.counts("validation").pairs]
    having = {name: weight for name, weight in weights_of(data).items() if name not in missing}
    if missing:
        found = f"warning: the validation split of {printable(', '.join(missing))} has no targets; "
        partly = f"this mixture is validated on {printable(', '.join(having))} alone. {_MORE_VALIDATION}"
        say(found + (partly if having else _UNVALIDATED))
    if not missing or not having:
        return ValidationSource(data, "validation", tuple(manifests.values()))
    kept = tuple(manifest for name, manifest in manifests.items() if str(name) in having)
    return ValidationSource(having, "validation", kept)


def check_vocabulary(data: str | Path, manifest: Manifest, config: runs.RunConfig, *, origin: str) -> None:
    """Checks that a dataset has the vocabulary of a run.

    Args:
        data: folder or URL of the dataset.
        manifest: the dataset's manifest.
        config: settings of the run.
        origin: file of the run's text settings, in the folder of its vocabulary; for the remedy.

    Raises:
        UserError: the vocabulary differs from the run's or from the dataset's manifest.
        OSError: the vocabulary can't be read.
    """
    vocabulary.load_own(data, manifest.vocabulary)
    _require_none(_vocabulary_differences(manifest, config), [], data, config, origin)


def check_same_text(data: str | Path, manifest: Manifest, config: runs.RunConfig, *, origin: str) -> None:
    """Checks that a dataset has the vocabulary and the cleaning of a run, so that a loss on it means the same.

    Args:
        data: folder or URL of the dataset.
        manifest: the dataset's manifest.
        config: settings of the run.
        origin: file of the run's text settings, in the folder of its vocabulary; for the remedy.

    Raises:
        UserError: the vocabulary or a setting of the text differs from the run's.
        OSError: the vocabulary can't be read.
    """
    vocabulary.load_own(data, manifest.vocabulary)
    theirs, ours = to_json(manifest.text), to_json(config.text)
    cleaning = [
        f"{name.replace('_', ' ')} is {value} there and {ours[name]} in the model"
        for name, value in theirs.items()
        if name not in _NOT_CLEANING and value != ours[name]
    ]
    _require_none(_vocabulary_differences(manifest, config), cleaning, data, config, origin)


def _settings_of(data: str | Path) -> str:
    """Returns the path of the settings of a dataset, for a message."""
    return join(str(data), FILE_NAME)


_NOT_CLEANING = ("vocabulary_size", "tokenizer_model")
"""Settings of the text that show in the vocabulary and the tokenizer's model, which are compared by themselves."""


def _vocabulary_differences(manifest: Manifest, config: runs.RunConfig) -> list[str]:
    found = []
    if manifest.tokens_sha256 != config.tokens_sha256:
        found.append("its vocabulary is another than the model's")
    if manifest.text.tokenizer_model != config.text.tokenizer_model:
        found.append("its tokenizer model is another than the model's")
    return found


def _require_none(
    vocabularies: list[str], cleaning: list[str], data: str | Path, config: runs.RunConfig, origin: str
) -> None:
    """Raises UserError if there is a difference; the remedy names the run's files."""
    if not vocabularies + cleaning:
        return
    folder = origin.removesuffix(origin.rpartition("/")[2])
    options = [f"--config {origin}"] * bool(cleaning) + [f"--vocabulary {folder}{VOCABULARY_FILE}"]
    if config.text.tokenizer_model:
        options.append(f"--tokenizer-model {folder}{TOKENIZER_FILE}")
    raise UserError(
        f"{data} does not fit the model: {', '.join(vocabularies + cleaning)}. Name the model's own --data, or "
        f"prepare this text again with {' '.join(options)}."
    )


def check_adaptation(config: runs.RunConfig, adaptation: AdaptationConfig) -> None:
    """Checks that the network of a run can adapt to what it reads.

    Raises:
        UserError: adaptation is set and the network is not causal.
    """
    require(
        config.model.causal or not adaptation.adapt,
        f"the network {config.model.network} reads each window by itself, and does not follow a text. "
        "Leave --adapt out, or train --network lstm.",
    )


def check_tunable(data: str | Path, config: runs.RunConfig, *, origin: str) -> None:
    """Checks that step sizes of adaptation can be found on a dataset.

    Args:
        data: folder or URL of the dataset.
        config: settings of the run.
        origin: path of the run's settings, for messages.

    Raises:
        UserError: the network is not causal, or the dataset does not fit the run or has no validation split.
        OSError: a file can't be read.
    """
    manifest = read_manifest(data)
    check_same_text(data, manifest, config, origin=origin)
    check_adaptation(config, AdaptationConfig(adapt=True))
    require(
        manifest.counts("validation").pairs > 0,
        f"{data} has no validation split, on which step sizes are found. Give a dataset that has one.",
    )


def check_neural_cache(config: runs.RunConfig, neural_cache: NeuralCacheConfig) -> None:
    """Checks that the network of a run can use a neural cache.

    Raises:
        UserError: a neural cache is set and the network is not causal.
    """
    require(
        config.model.causal or not neural_cache.tokens,
        f"the network {config.model.network} reads each window by itself and has no neural cache. "
        "Leave --neural-cache out, or train --network lstm.",
    )
