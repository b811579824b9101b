"""The methods of a run that write and score text."""

import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

import keras

from textgen.api.keywords import GenerateSettings, generation_configs, with_settings
from textgen.config import AdaptationConfig
from textgen.files import local_path
from textgen.generation.adapted_writer import AdaptedWriter
from textgen.generation.scoring import Score as Score
from textgen.generation.scoring import Scorer
from textgen.generation.writer import Continuation as Continuation
from textgen.generation.writer import NextToken as NextToken
from textgen.generation.writer import Writer
from textgen.runs import RunConfig
from textgen.runs.adaptation_file import step_sizes
from textgen.text.preprocessor import Preprocessor

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Writing:
    """Base of `Run`, which has the network, the preprocessor and the settings."""

    path: Path
    config: RunConfig

    @property
    def model(self) -> keras.Model:
        """The network."""
        raise NotImplementedError

    @property
    def preprocessor(self) -> Preprocessor:
        """Encodes texts and decodes ids."""
        raise NotImplementedError

    @functools.cached_property
    def writer(self) -> Writer:
        """The graphs that write text with the model's current weights."""
        return Writer(self.model, self.preprocessor, boundaries=self.config.boundaries)

    def writer_for(self, adaptation: AdaptationConfig) -> Writer | AdaptedWriter:
        """Returns a writer, whose weights follow each prompt if this is set.

        Step sizes that are not set are those of `tune_adaptation`, or the default ones.

        Raises:
            UserError: adaptation is set and the network is not causal, or the file of step sizes is damaged.
            OSError: that file can't be read.
        """
        if not adaptation.adapt:
            return self.writer
        sizes = step_sizes(self.path, adaptation)
        return AdaptedWriter(
            self.writer, self.model, rate=sizes.rate, decay=sizes.decay, tokens=adaptation.adapt_tokens
        )

    @functools.cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self.model, self.preprocessor, boundaries=self.config.boundaries)

    @overload
    def generate(self, prompt: str = "", *, samples: None = None, **settings: "Unpack[GenerateSettings]") -> str: ...

    @overload
    def generate(self, prompt: str = "", *, samples: int, **settings: "Unpack[GenerateSettings]") -> list[str]: ...

    @overload
    def generate(
        self,
        prompt: list[str] | tuple[str, ...],
        *,
        samples: int | None = None,
        **settings: "Unpack[GenerateSettings]",
    ) -> list[str]: ...

    @with_settings("generate")
    def generate(
        self,
        prompt: str | list[str] | tuple[str, ...] = "",
        *,
        samples: int | None = None,
        **settings: "Unpack[GenerateSettings]",
    ) -> str | list[str]:
        """Continues a prompt, or several at once.

        A text depends on the prompt, the settings and its number among the texts of equal prompts alone: it is the
        same in every batch, in `textgen generate`, and in the samples of a training.

        Args:
            prompt: text to continue; "" begins a document. A list gives a list: `[""] * 5` gives five texts, and an
                empty one none.
            samples: number of texts per prompt, which are returned as a list; None for one text.
            **settings: the settings below.

        Returns:
            Each prompt with its continuation: a string for a string without `samples`, otherwise a list.

        Raises:
            UserError: an argument is out of range, or a prompt has more than 1,048,576 bytes.

        Example:
            >>> for temperature in (0.3, 0.7, 1.0):  # doctest: +SKIP
            ...     print(run.generate("It is", tokens=20, temperature=temperature, top_p=0.95))
        """
        prompts = [prompt] if isinstance(prompt, str) else prompt
        texts = [
            found.text for found in self.continuations(prompts, samples=1 if samples is None else samples, **settings)
        ]
        return texts[0] if isinstance(prompt, str) and samples is None else texts

    @with_settings("generate")
    def continuations(
        self, prompts: Sequence[str], *, samples: int = 1, **settings: "Unpack[GenerateSettings]"
    ) -> list[Continuation]:
        """Continues prompts as `generate` does, and returns the texts with their tokens and log-probabilities.

        Args:
            prompts: texts to continue.
            samples: number of texts per prompt.
            **settings: the settings below.

        Raises:
            UserError: as by `generate`.

        Example:
            >>> (found,) = run.continuations(["It is"], stop=["."], may_end=True)  # doctest: +SKIP
            >>> found.reason, sum(found.log_probabilities)  # doctest: +SKIP
            ('stop', -31.4)
        """
        prompts = [prompts] if isinstance(prompts, str) else prompts
        config, adaptation = generation_configs(settings)
        return self.writer_for(adaptation).write(prompts, config, samples=samples)

    @with_settings("generate")
    def stream(self, prompt: str = "", **settings: "Unpack[GenerateSettings]") -> Iterator[str]:
        """Yields the text that `generate` returns for a prompt, in pieces, as soon as they are written.

        Args:
            prompt: text to continue.
            **settings: the settings below.

        Raises:
            UserError: as by `generate`.

        Example:
            >>> for piece in run.stream("It is"):  # doctest: +SKIP
            ...     print(piece, end="", flush=True)
        """
        config, adaptation = generation_configs(settings)
        return self.writer_for(adaptation).stream(prompt, config)

    def export(self, directory: str | os.PathLike[str], *, format: str = "saved_model") -> None:
        """Writes the model for programs that do not have textgen.

        Args:
            directory: folder, which must be empty or not exist.
            format: "saved_model" for one TensorFlow graph from text to text; "core_saved_model" for the same without
                operations of tensorflow_text; "litert" or "onnx" for one step of the network with its vocabulary.

        Raises:
            UserError: there is no such format or not for this tokenizer, the folder is not empty, or a package of
                the format is missing.
            OSError: the folder can't be written.

        Example:
            >>> run.export("exported")  # doctest: +SKIP
        """
        from textgen.export import exporters

        folder = local_path(os.fspath(directory), what="an export")
        exporters.export(self.model, self.preprocessor, folder, format=format, boundaries=self.config.boundaries)

    @overload
    def score(self, text: str) -> Score: ...

    @overload
    def score(self, text: list[str] | tuple[str, ...]) -> list[Score]: ...

    def score(self, text: str | list[str] | tuple[str, ...]) -> Score | list[Score]:
        """Returns the log-probability of each token of a text after those before it, and the text's perplexity.

        The text is taken as the beginning of a document, and its end is not scored.

        Args:
            text: a text, or several.

        Raises:
            UserError: a text has more than 1,048,576 bytes.

        Example:
            >>> run.score("to be or not to be").perplexity  # doctest: +SKIP
            31.4
        """
        found = self._scorer.scores([text] if isinstance(text, str) else text)
        return found[0] if isinstance(text, str) else found

    def next_token(self, prompt: str = "", *, top: int = 10, temperature: float = 1.0) -> list[NextToken]:
        """Returns the likeliest next tokens after a prompt, with their probabilities, the likeliest first.

        Args:
            prompt: text to continue; "" begins a document.
            top: number of tokens to return.
            temperature: divides the logits, as in `generate`; it must be above 0.

        Raises:
            UserError: an argument is out of range.

        Example:
            >>> [token for token, probability in run.next_token("the white", top=3)]  # doctest: +SKIP
            ['whale', 'house', 'and']
        """
        return self.writer.next_tokens(prompt, top=top, temperature=temperature)
