"""The functions of an exported SavedModel: strings and settings in, strings out, with a default for every setting."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from textgen.config import GenerationConfig
from textgen.generation.controls import Controls
from textgen.generation.generator import Generator
from textgen.generation.prompts import MAX_PROMPT_BYTES
from textgen.generation.scoring import Scorer
from textgen.generation.text_state import REASONS, Generated
from textgen.text.preprocessor import Preprocessor

_TOP = 10
"""Default number of next tokens."""

Signature = Callable[..., dict[str, tf.Tensor]]

_SETTINGS = {
    "max_tokens": tf.TensorSpec([], tf.int32), "min_tokens": tf.TensorSpec([], tf.int32),
    "temperature": tf.TensorSpec([None], tf.float32), "top_k": tf.TensorSpec([], tf.int32),
    "top_p": tf.TensorSpec([], tf.float32), "min_p": tf.TensorSpec([], tf.float32),
    "repetition_penalty": tf.TensorSpec([], tf.float32), "presence_penalty": tf.TensorSpec([], tf.float32),
    "frequency_penalty": tf.TensorSpec([], tf.float32), "no_repeat_ngram": tf.TensorSpec([], tf.int32),
    "bias_ids": tf.TensorSpec([None], tf.int32), "biases": tf.TensorSpec([None], tf.float32),
    "stop": tf.TensorSpec([None], tf.string), "may_end": tf.TensorSpec([], tf.bool),
    "echo": tf.TensorSpec([], tf.bool), "seed": tf.TensorSpec([], tf.int64),
}  # fmt: skip
"""Settings of `generate`; all rows of a request share them."""

_PROMPTS = tf.TensorSpec([None], tf.string, "prompt")


def generate_signature(generator: Generator, preprocessor: Preprocessor) -> Signature:
    """Returns the function behind the signature `generate`.

    Its arguments are prompts, string [B], and the settings of `GenerationConfig`, each with its default;
    `temperature`, `stop`, `bias_ids` and `biases` are vectors. Equal prompts of a request are continued differently,
    as by `textgen generate --samples`. It returns `text` [B]; `tokens`, `ids` and `log_probabilities`, [B, N], filled
    up with "", 0 and 0; `lengths` [B], the number of tokens; and `reason` [B].
    """
    vocabulary = tf.constant(preprocessor.vocabulary.texts)

    default = _default_settings()

    # TensorFlow records the defaults of arguments in the signature if they are tensors.
    def generate(
        prompt: tf.Tensor,
        max_tokens: tf.Tensor = default["max_tokens"],
        min_tokens: tf.Tensor = default["min_tokens"],
        temperature: tf.Tensor = default["temperature"],
        top_k: tf.Tensor = default["top_k"],
        top_p: tf.Tensor = default["top_p"],
        min_p: tf.Tensor = default["min_p"],
        repetition_penalty: tf.Tensor = default["repetition_penalty"],
        presence_penalty: tf.Tensor = default["presence_penalty"],
        frequency_penalty: tf.Tensor = default["frequency_penalty"],
        no_repeat_ngram: tf.Tensor = default["no_repeat_ngram"],
        bias_ids: tf.Tensor = default["bias_ids"],
        biases: tf.Tensor = default["biases"],
        stop: tf.Tensor = default["stop"],
        may_end: tf.Tensor = default["may_end"],
        echo: tf.Tensor = default["echo"],
        seed: tf.Tensor = default["seed"],
    ) -> dict[str, tf.Tensor]:
        arguments = locals()
        settings = {name: arguments[name] for name in _SETTINGS}
        with tf.control_dependencies(_checks(settings, preprocessor.vocabulary.size)):
            prompts = _valid_text(prompt, "prompt")
        generated = generator.generate(prompts, _controls(prompts, settings), 0)
        return _results(prompts, generated, vocabulary, echo=settings["echo"])

    specs = [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in _SETTINGS.items()]
    return tf.function(generate, input_signature=[_PROMPTS, *specs], autograph=False)


def next_token_signature(generator: Generator, preprocessor: Preprocessor) -> Signature:
    """Returns the function behind the signature `next_token`.

    Of prompts, string [B], and `top`, int32 [], the number A of tokens, it returns the most likely next tokens, the
    most likely first: `tokens`, `ids` and `log_probabilities`, each [B, A].
    """
    vocabulary = tf.constant(preprocessor.vocabulary.texts)

    ten = tf.constant(_TOP)

    def next_token(prompt: tf.Tensor, top: tf.Tensor = ten) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_require(top >= 1, "top must be at least 1")]):
            prompts = _valid_text(prompt, "prompt")
        logits = generator.next_logits(prompts)
        best = tf.math.top_k(tf.nn.log_softmax(logits), tf.minimum(top, preprocessor.vocabulary.size))
        return {
            "tokens": tf.gather(vocabulary, best.indices),
            "ids": best.indices,
            "log_probabilities": best.values,
        }

    specs = [_PROMPTS, tf.TensorSpec([], tf.int32, "top")]
    return tf.function(next_token, input_signature=specs, autograph=False)


def score_signature(scorer: Scorer, preprocessor: Preprocessor) -> Signature:
    """Returns the function behind the signature `score`.

    Of texts, string [B], it returns `tokens`, `ids` and `log_probabilities`, [B, T], filled up with "", 0 and 0, and
    `lengths` [B]. The log-probability of a first token with nothing before it is NaN.
    """
    vocabulary = tf.constant(preprocessor.vocabulary.texts)

    def score(text: tf.Tensor) -> dict[str, tf.Tensor]:
        found = scorer.score(_valid_text(text, "text"), 0)
        return {
            "tokens": _token_texts(vocabulary, found.ids, found.lengths),
            "ids": found.ids,
            "log_probabilities": found.log_probabilities,
            "lengths": found.lengths,
        }

    return tf.function(score, input_signature=[tf.TensorSpec([None], tf.string, "text")], autograph=False)


def _default_settings() -> dict[str, tf.Tensor]:
    config = GenerationConfig()
    values: dict[str, Any] = {
        name: getattr(config, name) for name in _SETTINGS if name in GenerationConfig.own_settings
    }
    values |= {"max_tokens": config.tokens, "bias_ids": [], "biases": [], "stop": list(config.stop)}
    return {
        name: tf.constant(value, spec.dtype, [len(value)] if spec.shape.rank else [])
        for name, spec in _SETTINGS.items()
        for value in [values[name]]
    }


def _controls(prompts: tf.Tensor, settings: dict[str, tf.Tensor]) -> Controls:
    """Returns the controls of prompts, string [B], that share all settings but the number of the sample."""
    rows = tf.shape(prompts)[0]
    names = {"temperatures": "temperature", "stops": "stop", "seeds": "seed"}
    given = {name: settings[names.get(name, name)] for name in Controls._fields if name != "samples"}
    rows_of_given = {
        name: tf.repeat(value[tf.newaxis], rows, axis=0) if value.shape.rank else tf.fill([rows], value)
        for name, value in given.items()
    }
    is_equal = tf.equal(prompts[:, tf.newaxis], prompts[tf.newaxis, :])
    before = tf.linalg.band_part(tf.cast(is_equal, tf.int32), -1, 0)
    return Controls(**rows_of_given, samples=tf.reduce_sum(before, axis=1) - 1)


def _results(
    prompts: tf.Tensor, generated: Generated, vocabulary: tf.Tensor, *, echo: tf.Tensor
) -> dict[str, tf.Tensor]:
    written = generated.written
    return {
        "text": tf.strings.join([tf.where(echo, prompts, ""), generated.texts]),
        "tokens": _token_texts(vocabulary, written.ids, generated.lengths),
        "ids": written.ids,
        "log_probabilities": written.log_probabilities,
        "lengths": generated.lengths,
        "reason": tf.gather(tf.constant(REASONS), generated.reasons),
    }


def _token_texts(vocabulary: tf.Tensor, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    is_token = tf.sequence_mask(lengths, tf.shape(ids)[1])
    return tf.where(is_token, tf.gather(vocabulary, ids), "")


def _valid_text(texts: tf.Tensor, what: str) -> tf.Tensor:
    """Returns texts with U+FFFD in place of what is not UTF-8; fails at a text that is too long."""
    longest = tf.reduce_max(tf.concat([[0], tf.strings.length(texts)], axis=0))
    check = _require(longest <= MAX_PROMPT_BYTES, f"a {what} must have at most {MAX_PROMPT_BYTES:,} bytes")
    with tf.control_dependencies([check]):
        return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace", replacement_char=0xFFFD)


def _checks(settings: dict[str, tf.Tensor], size: int) -> list[tf.Operation]:
    """Returns operations that fail where a setting is out of range, as `GenerationConfig` refuses it."""
    found = []
    for name, setting in GenerationConfig.own_settings.items():
        given = "max_tokens" if name == "tokens" else name
        value = settings.get(given)
        if value is None or not (value.dtype.is_integer or value.dtype.is_floating):
            continue
        if value.dtype.is_floating:
            found.append(_require(tf.math.is_finite(value), f"{given} must be finite"))
        bounds = (
            (setting.at_least, tf.greater_equal, "at least"),
            (setting.above, tf.greater, "above"),
            (setting.at_most, tf.less_equal, "at most"),
        )
        for limit, compare, words in bounds:
            if limit is not None:
                is_allowed = compare(value, tf.constant(limit, value.dtype))
                found.append(_require(is_allowed, f"{given} must be {words} {limit:,}"))
    ids, biases = settings["bias_ids"], settings["biases"]
    return [
        *found,
        _require(tf.size(settings["temperature"]) >= 1, "temperature must have at least one number"),
        _require(settings["min_tokens"] <= settings["max_tokens"], "min_tokens must be at most max_tokens"),
        _require(tf.equal(tf.size(ids), tf.size(biases)), "bias_ids and biases must have the same length"),
        _require((ids >= 0) & (ids < size), f"bias_ids must be from 0 to {size - 1:,}"),
        _require(tf.math.is_finite(biases), "biases must be finite"),
        _require(settings["stop"] != "", "a stop string must have at least one character"),
    ]


def _require(condition: tf.Tensor, message: str) -> tf.Operation:
    return tf.debugging.Assert(tf.reduce_all(condition), [f"{message}."])
