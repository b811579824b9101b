"""Settings of text generation: how the next token is chosen, and where a text ends."""

import dataclasses
from collections.abc import Mapping

from textgen.config.fields import Settings, setting
from textgen.config.training import MAX_CACHED_TOKENS, NeuralCacheConfig
from textgen.errors import require

MAX_TOKENS = 1_000_000
"""Maximum number of new tokens per text."""

_MAX_GENERATED = 2_000_000
"""Maximum number of tokens of texts that are compared with held-out text, whose n-grams are held in memory."""

MAX_TOP_K = 2**31 - 1
"""Maximum of top-k, which may be above the size of the vocabulary."""

_MAX_STOPS, _MAX_STOP_BYTES = 64, 1000
"""Bounds of stop strings; each is compared with the end of the text after every token."""


_MAX_TEMPERATURES = 10_000
"""Every text of a batch has as many as the longest schedule."""


_OF_SAMPLING = ("temperature", "top_k", "top_p", "min_p")
"""Settings that change nothing in a beam search."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerationConfig(Settings):
    """Settings of generation.

    They act in this order: repetition, presence and frequency penalty, logit bias, tokens that are not allowed,
    temperature, top-k, top-p, min-p.
    """

    tokens: int = setting(100, at_least=1, at_most=MAX_TOKENS, group="length", help="maximum number of new tokens")
    min_tokens: int = setting(
        0, at_least=0, at_most=MAX_TOKENS, group="length",
        help="number of new tokens before which neither the end of the document nor a stop string ends a text",
    )  # fmt: skip
    stop: tuple[str, ...] = setting(
        (), group="length", metavar="TEXT",
        help="end a text before this string, which may cross the borders of tokens; may be given more than once",
    )  # fmt: skip
    may_end: bool = setting(False, group="length", help="end a text where the model writes the end of the document")
    echo: bool = setting(True, group="length", help="write the prompt before its continuation")
    temperature: tuple[float, ...] = setting(
        (1.0,), at_least=0, group="sampling", metavar="T[,T...]", remedy="Use 0 for the likeliest token.",
        help="divides the logits; 0: always the most likely token; of several values each is for one new token, and "
        "the last one for all further tokens",
    )  # fmt: skip
    top_k: int = setting(
        0, at_least=0, limit=MAX_TOP_K, group="sampling", remedy="Use 0 for all tokens.",
        help="sample from the K most likely tokens; 0, or more than there are: from all",
    )  # fmt: skip
    top_p: float = setting(
        1.0, above=0, at_most=1, group="sampling", metavar="P",
        remedy="Use 1 for all tokens, or temperature 0 for the likeliest.",
        help="sample from the fewest most likely tokens whose probabilities add up to P (Holtzman et al. 2020)",
    )  # fmt: skip
    min_p: float = setting(
        0.0, at_least=0, at_most=1, group="sampling", metavar="P", remedy="Use 0 for all tokens.",
        help="sample from the tokens with at least P times the probability of the most likely one",
    )  # fmt: skip
    beams: int = setting(
        1, at_least=1, at_most=256, group="sampling",
        help="follow the N most probable texts instead of sampling; --samples of them are printed, the best first",
    )  # fmt: skip
    length_penalty: float = setting(
        1.0, at_least=0, at_most=10, group="sampling",
        help="with --beams, power of the number of tokens by which the log-probability of a text is divided; "
        "0 prefers short texts",
    )  # fmt: skip
    seed: int = setting(
        0, at_least=0, at_most=2**31 - 1, group="sampling",
        help="seed of sampling; the same seed writes the same text",
    )  # fmt: skip
    repetition_penalty: float = setting(
        1.0, at_least=0.01, at_most=100, group="repetition", remedy="Use 1 for none.",
        help="divides positive logits, and multiplies negative ones, of tokens in the prompt or the text so far "
        "(Keskar et al. 2019)",
    )  # fmt: skip
    presence_penalty: float = setting(
        0.0, at_least=-100, at_most=100, group="repetition", remedy="Use 0 for none.",
        help="subtracted from the logits of tokens in the new text so far",
    )  # fmt: skip
    frequency_penalty: float = setting(
        0.0, at_least=-100, at_most=100, group="repetition", remedy="Use 0 for none.",
        help="subtracted from the logit of a token once per occurrence in the new text so far",
    )  # fmt: skip
    no_repeat_ngram: int = setting(
        0, at_least=0, at_most=100, group="repetition", remedy="Use 0 for none.",
        help="never write N tokens in a row that stand in the prompt or the text so far; 0: they may repeat",
    )  # fmt: skip
    logit_bias: Mapping[str | int, float] | None = setting(
        None, at_least=-100, at_most=100, group="tokens allowed",
        help="number that is added to the logit of a token, in Python also by its id; may be given more than once",
    )  # fmt: skip
    ban: tuple[str, ...] = setting(
        (), group="tokens allowed", metavar="TOKEN", help="token that is never written; may be given more than once"
    )

    neural_cache: int = setting(
        0, at_least=0, limit=MAX_CACHED_TOKENS, former="memory", group="neural cache",
        help="mix the predictions of the lstm with a cache of the last N tokens (Grave et al. 2017); 0: no cache",
    )  # fmt: skip
    neural_cache_sharpness: float = setting(
        18.0, above=0, group="neural cache", advanced=True, metavar="THETA",
        help="factor of the similarity between the current hidden state and a cached one",
    )  # fmt: skip
    neural_cache_weight: float = setting(
        0.25, above=0, below=1, group="neural cache", advanced=True, metavar="LAMBDA",
        help="weight of the cache in the mixture with the network's prediction",
    )  # fmt: skip

    @property
    def cache(self) -> NeuralCacheConfig:
        """The settings of the neural cache."""
        return NeuralCacheConfig(
            tokens=self.neural_cache, sharpness=self.neural_cache_sharpness, weight=self.neural_cache_weight
        )

    def check_together(self) -> None:
        """Checks the stop strings, the number of temperatures, the lengths, and that a search does not sample.

        Raises:
            UserError: one of them is not allowed.
        """
        require(bool(self.temperature), "temperature is an empty list; it must have at least one number. Use 1.")
        require(
            len(self.temperature) <= _MAX_TEMPERATURES,
            f"temperature has {len(self.temperature):,} numbers; it must have at most {_MAX_TEMPERATURES:,}. Leave "
            "the last ones out.",
        )
        require(
            self.min_tokens <= self.tokens,
            f"min tokens is {self.min_tokens:,}; it must be at most tokens, which is {self.tokens:,}.",
        )
        self._check_search()
        require(
            len(self.stop) <= _MAX_STOPS,
            f"there are {len(self.stop)} stop strings; there must be at most {_MAX_STOPS}. Give fewer.",
        )
        for text in self.stop:
            require(bool(text), "a stop string is empty; it must have at least one character. Leave it out.")
            size = len(text.encode(errors="replace"))
            require(
                size <= _MAX_STOP_BYTES,
                f"a stop string has {size:,} bytes; it must have at most {_MAX_STOP_BYTES:,}. Give its beginning.",
            )

    def _check_search(self) -> None:
        for name in _OF_SAMPLING if self.beams > 1 else ():
            declared = self.own_settings[name]
            require(
                getattr(self, name) == declared.default,
                f"{declared.label} is set and beams is {self.beams}; a search of several beams does not sample. "
                f"Leave {declared.flag} or --beams out.",
            )
        require(
            self.beams > 1 or self.length_penalty == 1,
            f"length penalty is {self.length_penalty:g} and beams is 1; only a search of several beams has one. "
            "Raise --beams, or leave --length-penalty out.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratedTextConfig(Settings):
    """Settings of the texts that a model writes to be compared with held-out text."""

    generation: bool = setting(
        False, group="generated text",
        help="also let the model write texts, and measure their variety, repetition, words, and what they copy from "
        "the training text, beside the same figures of held-out text",
    )  # fmt: skip
    generation_texts: int = setting(
        64, at_least=1, at_most=10_000, group="generated text", help="number of texts to write"
    )
    generation_tokens: int = setting(
        200, at_least=1, at_most=10_000, group="generated text", help="maximum number of tokens per text"
    )
    generation_temperature: float = setting(
        1.0, at_least=0, group="generated text", metavar="T", help="sampling temperature of the texts"
    )
    generation_top_k: int = setting(
        0, at_least=0, group="generated text", remedy="Use 0 for all tokens.",
        help="sample from the K most likely tokens; 0: from all",
    )  # fmt: skip
    generation_top_p: float = setting(
        1.0, above=0, at_most=1, group="generated text", metavar="P", remedy="Use 1 for all tokens.",
        help="sample from the fewest most likely tokens whose probabilities add up to P",
    )  # fmt: skip
    generation_seed: int = setting(
        0, at_least=0, at_most=2**31 - 1, group="generated text",
        help="seed of the texts and of the sample of held-out text",
    )  # fmt: skip

    def check_together(self) -> None:
        """Checks the number of all tokens, and that nothing is set about texts that are not written.

        Raises:
            UserError: they are too many, or something is.
        """
        tokens = self.generation_texts * self.generation_tokens
        require(
            tokens <= _MAX_GENERATED,
            f"{self.generation_texts:,} texts of {self.generation_tokens:,} tokens are {tokens:,} tokens; they must "
            f"be at most {_MAX_GENERATED:,}. Lower --generation-texts or --generation-tokens.",
        )
        for name, declared in self.own_settings.items():
            require(
                self.generation or getattr(self, name) == declared.default,
                f"{declared.label} is {getattr(self, name)}, and no text is generated. Add --generation, or leave "
                f"{declared.flag} out.",
            )


NO_GENERATED_TEXT = GeneratedTextConfig()
