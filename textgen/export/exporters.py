"""The formats of exported models, and the writing of one into a new folder."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from textgen.config import BOS, TOKENIZER_JSON
from textgen.errors import UserError, require
from textgen.export import litert, onnx_model, saved_model
from textgen.files import write_atomically
from textgen.model.language_model import LanguageModel
from textgen.system_errors import naming
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers.tokenizer_json import write_json

Exporter = Callable[[LanguageModel, Preprocessor, Path, bool], None]

VOCABULARY = "vocabulary.json"


def export(
    model: LanguageModel, preprocessor: Preprocessor, directory: Path, *, format: str, boundaries: bool
) -> None:
    """Writes a model into a folder, which appears only when it is complete.

    Args:
        model: the network.
        preprocessor: encodes prompts and decodes ids.
        directory: folder, which must be empty or not exist.
        format: a key of FORMATS.
        boundaries: whether the documents of the training data begin with [BOS].

    Raises:
        UserError: there is no such format or not for this tokenizer, the folder is not empty, or a package that the
            format needs is missing.
        OSError: the folder can't be written.
    """
    require(format in FORMATS, f"format is {format!r}; it must be one of: {', '.join(FORMATS)}.")
    with naming(directory):
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise UserError(f"{directory} is not an empty folder; an export needs a new one. Name another folder.")
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        try:
            FORMATS[format](model, preprocessor, unfinished, boundaries)
            unfinished.chmod(0o777 & ~_umask())
            unfinished.rename(directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _export_saved_model(model: LanguageModel, preprocessor: Preprocessor, directory: Path, boundaries: bool) -> None:
    saved_model.save(model, preprocessor, directory, boundaries=boundaries)


def _export_core_saved_model(
    model: LanguageModel, preprocessor: Preprocessor, directory: Path, boundaries: bool
) -> None:
    saved_model.save_core(model, preprocessor, directory, boundaries=boundaries)


def _export_litert(model: LanguageModel, preprocessor: Preprocessor, directory: Path, boundaries: bool) -> None:
    litert.save(model, directory)
    _write_vocabulary(model, preprocessor, directory, boundaries)


def _export_onnx(model: LanguageModel, preprocessor: Preprocessor, directory: Path, boundaries: bool) -> None:
    onnx_model.save(model, directory)
    _write_vocabulary(model, preprocessor, directory, boundaries)


def _write_vocabulary(model: LanguageModel, preprocessor: Preprocessor, directory: Path, boundaries: bool) -> None:
    """Writes what a program needs besides the model: `vocabulary.json`, and `tokenizer.json` where there is one."""
    config = preprocessor.config
    content = {
        "tokenizer": config.tokenizer,
        "folded": config.case == "fold",
        "tokens": list(preprocessor.vocabulary.texts),
        "begin": BOS,
        "begins_always": boundaries,
        "window": model.window,
        "states": list(model.state_widths),
    }
    write_atomically(directory / VOCABULARY, f"{json.dumps(content)}\n".encode())
    if config.tokenizer == "bpe":
        write_atomically(directory / TOKENIZER_JSON, write_json(preprocessor.vocabulary.tokens))


FORMATS: Mapping[str, Exporter] = {
    "saved_model": _export_saved_model,
    "core_saved_model": _export_core_saved_model,
    "litert": _export_litert,
    "onnx": _export_onnx,
}
"""Functions that write a model into an empty folder, by the names of their formats."""
