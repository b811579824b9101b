"""The methods of a run that measure its model on text."""

import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textgen.api.writing import Writing
from textgen.config import AdaptationConfig, GeneratedTextConfig, NeuralCacheConfig
from textgen.dataset import read_manifest

if TYPE_CHECKING:
    from textgen.training.dynamic_evaluation import StepSizes
    from textgen.training.evaluation_results import Evaluation
    from textgen.training.text_quality.comparison import TextQuality


class Evaluating(Writing):
    """Base of `Run`, which has the network, the preprocessor and the settings."""

    def evaluate(
        self,
        data: str | os.PathLike[str],
        split: str = "test",
        *,
        batch_size: int = 1024,
        neural_cache: int | NeuralCacheConfig = 0,
        adaptation: bool | AdaptationConfig = False,
        generation: bool | GeneratedTextConfig = False,
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
            generation: whether the model also writes texts, which are compared with held-out and training text, or
                all settings of this.

        Returns:
            Loss in nats per token, perplexity, bits per character and accuracy of the model, and loss and perplexity
            of a unigram, a bigram and a trigram; a whole dataset has no such baselines. `generation` holds
            distinct-n, self-BLEU, repetition, the share of words in the vocabulary and that of copied n-grams.

        Raises:
            UserError: the dataset has another vocabulary or cleaning, the split is empty, a `bilstm` is given a
                neural cache or adaptation, or generated texts are compared with a split that is not held out.
            OSError: a file of the dataset cannot be read.

        Example:
            >>> run.evaluate("data", "test").perplexity  # doctest: +SKIP
            103.2
            >>> run.evaluate("data", generation=True).generation.written.copied[8]  # doctest: +SKIP
            0.021
        """
        cache = NeuralCacheConfig(tokens=neural_cache) if isinstance(neural_cache, int) else neural_cache
        from textgen.training import evaluation
        from textgen.training.text_quality import comparison

        settings = GeneratedTextConfig(generation=generation) if isinstance(generation, bool) else generation
        if settings.generation:
            # Before the evaluation, which may take long.
            comparison.require_comparable(os.fspath(data), read_manifest(data), split)
        found = evaluation.evaluate(
            self.model,
            self.config,
            os.fspath(data),
            split=split,
            run=self.path,
            batch_size=batch_size,
            neural_cache=cache,
            adaptation=AdaptationConfig(adapt=adaptation) if isinstance(adaptation, bool) else adaptation,
        )
        if not settings.generation:
            return found
        return dataclasses.replace(found, generation=self._text_quality(os.fspath(data), split, settings))

    def _text_quality(self, data: str, split: str, settings: GeneratedTextConfig) -> "TextQuality":
        from textgen.generation.unprompted_texts import write_unprompted
        from textgen.training.text_quality import comparison

        texts = write_unprompted(self.writer, settings)
        return comparison.compare(texts, data, read_manifest(data), self.preprocessor, split=split, settings=settings)

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
