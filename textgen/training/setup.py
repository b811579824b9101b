"""Setup of a run: its settings, its folder, and checks of its datasets."""

from pathlib import Path
from typing import Any

from textgen.config import TOKENIZER_FILE, VOCABULARY_FILE, NeuralCacheConfig
from textgen.dataset import Data, read_manifest, weights_of
from textgen.dataset.storage.manifest import Manifest
from textgen.errors import UserError, require
from textgen.files import Folder
from textgen.runs import RunConfig, save
from textgen.text import vocabulary


def config_for(manifest: Manifest, *, window: int | None = None, **settings: Any) -> RunConfig:
    """Returns the settings of a new run on a dataset.

    Args:
        manifest: the dataset's manifest.
        window: number of tokens of context; None for the dataset's.
        settings: `model` and `train` of `RunConfig`.

    Raises:
        UserError: the settings contradict each other; see `RunConfig`.
    """
    return RunConfig(
        text=manifest.text,
        window=manifest.config.window if window is None else window,
        vocabulary_size=manifest.vocabulary_size,
        tokens_sha256=manifest.tokens_sha256,
        boundaries=manifest.config.boundaries,
        **settings,
    )


def read_manifests(data: Data, config: RunConfig) -> dict[str | Path, Manifest]:
    """Reads the manifest of every dataset and checks that the run can train on it.

    Args:
        data: one dataset, or a mixture of datasets.
        config: settings of the run.

    Returns:
        Manifests by the folder or URL of their dataset.

    Raises:
        UserError: a dataset is damaged, or has another vocabulary than the run.
        OSError: a file can't be read.
    """
    manifests = {directory: read_manifest(directory) for directory in weights_of(data)}
    for directory, manifest in manifests.items():
        check_data(directory, manifest, config)
    return manifests


def require_empty(output: Path) -> None:
    """Checks that the folder of a new run is empty, so that nothing is overwritten.

    Raises:
        UserError: `output` is not empty.
        OSError: `output` can't be listed.
    """
    if output.exists() and any(output.iterdir()):
        raise UserError(
            f"{output} is not empty. Add --resume, or resume=True in Python, to continue "
            "the run, or name another folder."
        )


def write_folder(output: Path, config: RunConfig, *, data: str | Path, resume: bool) -> None:
    """Writes the settings of a run; for a new run, also makes its folder.

    Args:
        output: folder of the run.
        config: settings of the run.
        data: folder or URL of the dataset.
        resume: False for a new run.

    Raises:
        OSError: a file can't be read or written.
    """
    if not resume:
        make_folder(output, data=data)
    save(config, output)


def make_folder(output: Path, *, data: str | Path) -> None:
    """Makes the folder of a run and copies the dataset's vocabulary and tokenizer into it.

    Args:
        output: folder of the run.
        data: folder or URL of the dataset.

    Raises:
        OSError: a file can't be read or written.
    """
    output.mkdir(parents=True, exist_ok=True)
    folder = Folder(data)
    for name in (VOCABULARY_FILE, TOKENIZER_FILE):
        if folder.size(name) is not None:
            (output / name).write_bytes(folder.read(name))


def check_data(data: str | Path, manifest: Manifest, config: RunConfig) -> None:
    """Checks that a dataset has the vocabulary of a run.

    Args:
        data: folder or URL of the dataset.
        manifest: the dataset's manifest.
        config: settings of the run.

    Raises:
        UserError: the vocabulary differs from the run's or from the dataset's manifest.
        OSError: the vocabulary can't be read.
    """
    if vocabulary.load(data).fingerprint() != manifest.vocabulary_sha256:
        raise UserError(f"{data} has a vocabulary that is not its own. Run `textgen verify {data}`.")
    if manifest.tokens_sha256 != config.tokens_sha256:
        raise UserError(f"the model was trained on another vocabulary than that of {data}. Name its own --data.")


def check_neural_cache(config: RunConfig, neural_cache: NeuralCacheConfig) -> None:
    """Checks that the network of a run can use a neural cache.

    Raises:
        UserError: a neural cache is set and the network is a `bilstm`.
    """
    require(
        config.model.causal or not neural_cache.tokens,
        "a bilstm reads each window by itself and has no neural cache. Leave --neural-cache out, or train "
        "--network lstm.",
    )
