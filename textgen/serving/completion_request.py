"""Parses and checks requests for completions: https://platform.openai.com/docs/api-reference/completions/create."""

import dataclasses
import json
import math
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from textgen.config import PAD, GenerationConfig
from textgen.config.generation import MAX_TOKENS, MAX_TOP_K
from textgen.errors import UserError
from textgen.generation.prompts import MAX_PROMPT_BYTES

_DEFAULT_TOKENS = 16
_MAX_CHOICES, _MAX_LOGPROBS = 128, 20
_MAX_SEED = 2**31 - 1


class RequestError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        message: what was found, and the rule.
        param: the parameter, None for the request as a whole.
        code: short name of the error, None for none.
        kind: kind of the error.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ):
        super().__init__(message)
        self.status, self.message, self.param, self.code, self.kind = status, message, param, code, kind

    def body(self) -> dict[str, Any]:
        """Returns the error object of the dialect."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompletionRequest:
    """A request that was checked.

    Attributes:
        model: name of the model.
        prompts: texts, or lists of token ids.
        config: settings of all texts; its `tokens` is at least 1, see `max_tokens`.
        max_tokens: maximum number of new tokens; 0 for none.
        samples: number of texts per prompt.
        logprobs: number of alternatives per token; None for no log-probabilities.
        echo: whether the prompt is returned too.
        stream: whether texts are sent while they are written.
        include_usage: whether the last event of a stream has the numbers of tokens.
    """

    model: str
    prompts: tuple[str | tuple[int, ...], ...]
    config: GenerationConfig
    max_tokens: int
    samples: int
    logprobs: int | None
    echo: bool
    stream: bool
    include_usage: bool


def parse_request(body: bytes) -> CompletionRequest:
    """Returns the request in a body.

    Raises:
        RequestError: it is not JSON, or a parameter is unknown or not allowed.
    """
    values = json_object(body)
    unknown = sorted(set(values) - set(_CHECKS))
    if unknown:
        raise RequestError(
            f"Unrecognized request argument supplied: {unknown[0]}. Known are: {', '.join(_CHECKS)}.",
            param=unknown[0],
        )
    given = {name: _checked(name, value) for name, value in values.items() if value is not None}
    if "model" not in given:
        raise RequestError("There is no model; it must be the id of one in /v1/models.", param="model")
    samples = given.get("n", 1)
    if given.get("best_of", samples) != samples:
        raise RequestError(f"best_of is {given['best_of']}; it must equal n, {samples}.", param="best_of")
    prompts = given.get("prompt", ("",))
    if len(prompts) * samples > _MAX_CHOICES:
        raise RequestError(f"The request asks for {len(prompts) * samples} texts; {_MAX_CHOICES} are the most.")
    max_tokens = given.get("max_tokens", _DEFAULT_TOKENS)
    return CompletionRequest(
        model=given["model"],
        prompts=prompts,
        config=_config(given, max_tokens),
        max_tokens=max_tokens,
        samples=samples,
        logprobs=given.get("logprobs"),
        echo=given.get("echo", False),
        stream=given.get("stream", False),
        include_usage=bool(given.get("stream_options", {}).get("include_usage")),
    )


def _config(given: Mapping[str, Any], max_tokens: int) -> GenerationConfig:
    settings = {name: given[name] for name in GenerationConfig.own_settings if name in given and name != "echo"}
    try:
        return GenerationConfig(**{"seed": secrets.randbelow(_MAX_SEED), **settings, "tokens": max(max_tokens, 1)})
    except UserError as error:
        message = str(error)
        named = (name for name in _CHECKS if message.startswith((name, name.replace("_", " "))))
        raise RequestError(message, param=next(named, None)) from None


def json_object(body: bytes) -> dict[str, Any]:
    """Returns the object in a body.

    Raises:
        RequestError: it is no JSON object.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"We could not parse the JSON body of your request: {str(error)[:200]}.") from None
    if not isinstance(values, dict):
        raise RequestError("The body of the request must be a JSON object.")
    return values


def _checked(name: str, value: Any) -> Any:
    rule, convert = _CHECKS[name]
    found = convert(value)
    if found is None:
        shown = json.dumps(value)
        shown = shown if len(shown) <= 100 else f"{shown[:100]}…"
        raise RequestError(f"{name} is {shown}; it must be {rule}.", param=name)
    return found


_Convert = Callable[[Any], Any]
"""Returns a value in its normal form, or None if it is not allowed."""


def _whole(least: float, most: float) -> _Convert:
    return lambda value: value if type(value) is int and least <= value <= most else None


def _number(least: float, most: float) -> _Convert:
    return lambda value: float(value) if type(value) in (int, float) and least <= value <= most else None


def _kind(kind: type) -> _Convert:
    return lambda value: value if type(value) is kind else None


def _prompts(value: Any) -> tuple[str | tuple[int, ...], ...] | None:
    found = value if isinstance(value, list) else [value]
    if found and all(type(one) is int for one in found):
        found = [found]
    if not found or len(found) > _MAX_CHOICES:
        return None
    for one in found:
        is_text = isinstance(one, str) and len(one.encode(errors="replace")) <= MAX_PROMPT_BYTES
        is_ids = (
            isinstance(one, list) and len(one) <= MAX_PROMPT_BYTES and all(type(i) is int and i > PAD for i in one)
        )
        if not is_text and not is_ids:
            return None
    return tuple(one if isinstance(one, str) else tuple(one) for one in found)


def _stops(value: Any) -> tuple[str, ...] | None:
    found = [value] if isinstance(value, str) else value
    is_list = isinstance(found, list) and all(isinstance(one, str) and one for one in found)
    return tuple(found) if is_list else None


def _biases(value: Any) -> dict[int, float] | None:
    if not isinstance(value, dict):
        return None
    try:
        found = {int(token): float(bias) for token, bias in value.items()}
    except (TypeError, ValueError):
        return None
    return found if all(-100 <= bias <= 100 for bias in found.values()) else None


def _temperatures(value: Any) -> tuple[float, ...] | None:
    numbers = [_number(0, math.inf)(one) for one in (value if isinstance(value, list) else [value])]
    return None if not numbers or None in numbers or math.inf in numbers else tuple(numbers)


_CHECKS: Mapping[str, tuple[str, _Convert]] = {
    "model": ("a text", _kind(str)),
    "prompt": (
        f"a text of at most {MAX_PROMPT_BYTES:,} bytes, token ids, or up to {_MAX_CHOICES} of these in a list",
        _prompts,
    ),
    "max_tokens": (f"a whole number from 0 to {MAX_TOKENS:,}", _whole(0, MAX_TOKENS)),
    "temperature": ("a number of at least 0, or a list of these", _temperatures),
    "top_p": ("a number above 0, and at most 1", lambda value: _number(0, 1)(value) or None),
    "n": (f"a whole number from 1 to {_MAX_CHOICES}", _whole(1, _MAX_CHOICES)),
    "best_of": (f"a whole number from 1 to {_MAX_CHOICES}", _whole(1, _MAX_CHOICES)),
    "stream": ("true or false", _kind(bool)),
    "stream_options": ("an object", _kind(dict)),
    "logprobs": (f"a whole number from 0 to {_MAX_LOGPROBS}", _whole(0, _MAX_LOGPROBS)),
    "echo": ("true or false", _kind(bool)),
    "stop": ("a text of at least one character, or a list of these", _stops),
    "presence_penalty": ("a number from -100 to 100", _number(-100, 100)),
    "frequency_penalty": ("a number from -100 to 100", _number(-100, 100)),
    "logit_bias": ("an object of numbers from -100 to 100 by token id", _biases),
    "seed": ("a whole number", lambda value: value % (_MAX_SEED + 1) if type(value) is int else None),
    "user": ("a text", _kind(str)),
    "suffix": ("null, since text cannot be inserted", lambda value: "" if value == "" else None),
    "top_k": (f"a whole number from 0 to {MAX_TOP_K:,}", _whole(0, MAX_TOP_K)),
    "min_p": ("a number from 0 to 1", _number(0, 1)),
    "repetition_penalty": ("a number from 0.01 to 100", _number(0.01, 100)),
    "no_repeat_ngram": ("a whole number from 0 to 100", _whole(0, 100)),
    "min_tokens": (f"a whole number from 0 to {MAX_TOKENS:,}", _whole(0, MAX_TOKENS)),
    "may_end": ("true or false", _kind(bool)),
}
"""Rule and check of each parameter; those after `suffix` are settings of textgen."""
