"""A trained model in its folder: `load_run` and `Run`."""

import dataclasses
import functools
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from textgen import runs
from textgen.api.writing import Writing
from textgen.config import AdaptationConfig, NeuralCacheConfig
from textgen.runs.run_vocabulary import load_preprocessor, load_vocabulary
from textgen.text.preprocessor import Preprocessor
from textgen.training.callbacks.history import History, HistoryRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from textgen.training.dynamic_evaluation import StepSizes
    from textgen.training.evaluation import Evaluation


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


class Run(Writing):
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

    def evaluate(
        self,
        data: str | os.PathLike[str],
        split: str = "test",
        *,
        batch_size: int = 1024,
        neural_cache: int | NeuralCacheConfig = 0,
        adaptation: bool | AdaptationConfig = False,
    ) -> "Evaluation":
        """Measures the model on every target of a split or of a whole dataset, and n-gram baselines on a split.

        An `lstm` reads each document from its beginning, and a `bilstm` each window by itself.

        Args:
            data: folder or URL of the dataset that the run was trained on, or of one with the same vocabulary and
                cleaning, as `prepare(..., vocabulary="run/vocabulary.jsonl")` makes it.
            split: `train`, `validation`, `test`, or `all` for the whole dataset as one test text.
            batch_size: number of windows per batch, or maximum number of documents that an `lstm` reads at the same
                time; the result does not depend on it, up to rounding.
            neural_cache: number of tokens, or all settings, of a neural cache, with which a model of the network
                `lstm` is measured too; 0 for none.
            adaptation: whether an `lstm` is measured too with weights that follow what it reads, or all settings of
                this; by default with the step sizes of `tune_adaptation`.

        Returns:
            Loss in nats per token, perplexity, bits per character and accuracy of the model, and loss and perplexity
            of a unigram, a bigram and a trigram; a whole dataset has no such baselines.

        Raises:
            UserError: the dataset has another vocabulary or cleaning, the split is empty, or a `bilstm` is given a
                neural cache or adaptation.
            OSError: a file of the dataset cannot be read.

        Example:
            >>> run.evaluate("data", "test").perplexity  # doctest: +SKIP
            103.2
        """
        cache = NeuralCacheConfig(tokens=neural_cache) if isinstance(neural_cache, int) else neural_cache
        from textgen.training import evaluation

        return evaluation.evaluate(
            self.model,
            self.config,
            os.fspath(data),
            split=split,
            run=self.path,
            batch_size=batch_size,
            neural_cache=cache,
            adaptation=AdaptationConfig(adapt=adaptation) if isinstance(adaptation, bool) else adaptation,
        )

    def tune_adaptation(
        self, data: str | os.PathLike[str], *, tokens: int = 32, max_targets: int = 20_000
    ) -> "Iterator[tuple[StepSizes, float]]":
        """Finds the step sizes with which an `lstm` best follows a validation split, and saves them with the run.

        Args:
            data: folder or URL of the dataset.
            tokens: number of tokens that are read between two steps.
            max_targets: number of targets of the validation split that are read for each pair of step sizes.

        Returns:
            Step sizes and the loss with them, in nats per token; the best come last, and are saved.

        Raises:
            UserError: the dataset does not fit the run or has no validation split, or the network is a `bilstm`.
            OSError: a file can't be read or written.

        Example:
            >>> (*_, (best, loss)) = run.tune_adaptation("data")  # doctest: +SKIP
        """
        from textgen.training import dynamic_evaluation

        return dynamic_evaluation.tune(
            self.model, self.config, self.path, os.fspath(data), tokens=tokens, max_targets=max_targets
        )
