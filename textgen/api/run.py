"""A trained model in its folder: `load_run` and `Run`."""

import dataclasses
import functools
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from textgen import runs
from textgen.api.evaluating import Evaluating
from textgen.api.writing import Continuation as Continuation
from textgen.api.writing import NextToken as NextToken
from textgen.api.writing import Score as Score
from textgen.runs.run_vocabulary import load_preprocessor, load_vocabulary
from textgen.text.preprocessor import Preprocessor
from textgen.training.callbacks.history import History, HistoryRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def load_run(path: str | os.PathLike[str]) -> "Run":
    """Returns the run that `train` or `textgen train` has saved in a folder.

    Args:
        path: folder of the run.

    Raises:
        UserError: the folder is not a run, one of another version, or has not the vocabulary of its training.
        OSError: a file cannot be read.

    Example:
        >>> textgen.load_run("run").generate("Once upon a time", temperature=0.5)  # doctest: +SKIP
    """
    folder = runs.run_folder(os.fspath(path))
    config = runs.load(folder)
    load_vocabulary(folder, config)
    return Run(folder, config)


class Run(Evaluating):
    """A trained language model: its network, its vocabulary, its settings and the history of its training.

    Made by `train` and `load_run`. The weights are those of the lowest validation loss; they are loaded when they
    are first used.

    Attributes:
        path: folder of the run.
        config: settings of the run: `config.text`, `config.model`, `config.train`, `config.window`.

    Example:
        >>> run = textgen.load_run("run")  # doctest: +SKIP
        >>> run.next_token("to be or not to", top=2)  # doctest: +SKIP
        [NextToken(token='be', probability=0.41), NextToken(token='the', probability=0.07)]
    """

    def __init__(self, path: Path, config: runs.RunConfig):
        self.path = path
        self.config = config

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.config.model})"

    @functools.cached_property
    def model(self) -> keras.Model:
        """The network, a plain `keras.Model`: ids int32 [B, W], padded on the right with 0 → logits.

        The logits are float32 [B, V] of the token after the window, or with `network="lstm"` [B, W, V] of the token
        after every position. It is not compiled; `compile`, `fit`, `summary`, `save` and `export` work as usual, and
        what `fit` changes is used by `generate`. Since it returns logits, compile it with
        `loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)`; a loss named by a string would take
        probabilities. `keras.models.load_model` reads a saved model after `import textgen`.

        Raises:
            UserError: the run has no checkpoint, or a damaged one.
        """
        return runs.load_model(self.path, self.config)

    @functools.cached_property
    def preprocessor(self) -> Preprocessor:
        """The preprocessor of the dataset: `encode` turns texts into ids, `decode` ids into texts.

        Raises:
            UserError: the vocabulary is missing or damaged, or is not the one of the training.
        """
        return load_preprocessor(self.path, self.config)

    @property
    def history(self) -> dict[str, list[float]]:
        """The validations of the training, as columns of equal length by name.

        The columns are `step`, `epoch`, `seconds`, `loss`, `accuracy`, `validation_loss` and so on; losses are in
        nats per token, and NaN stands for a figure that was not measured.

        Example:
            >>> pandas.DataFrame(run.history)  # doctest: +SKIP
        """
        rows = self._rows()
        return {
            field.name: [math.nan if value is None else value for value in (getattr(row, field.name) for row in rows)]
            for field in dataclasses.fields(HistoryRow)
        }

    def plot(self) -> "Figure":
        """Returns a figure of loss, accuracy and perplexity over the training steps; a notebook shows it inline.

        The losses of the n-gram baselines are lines, if they are stored with the run.

        Example:
            >>> run.plot().savefig("curves.pdf")  # doctest: +SKIP
        """
        # Matplotlib is slow to import, and writing text does not need it.
        from textgen.training import stored_baselines
        from textgen.training.callbacks import curves

        return curves.draw(self._rows(), stored_baselines.read(self.path))

    def _rows(self) -> Sequence[HistoryRow]:
        return History(self.path / "history.csv", until_step=sys.maxsize).rows
