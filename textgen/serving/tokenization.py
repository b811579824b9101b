"""Answers requests for the ids of texts, by which tools such as lm-eval need no tokenizer of their own.

The addresses and their objects are those of vLLM's server:
https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#tokenizer-api
"""

from collections.abc import Mapping
from typing import Any

from textgen.config import BOS, EOS, PAD, RESERVED, UNK
from textgen.generation.prompts import MAX_PROMPT_BYTES
from textgen.serving.completion_request import RequestError
from textgen.serving.completions import ServedModel


def describe(model: ServedModel) -> dict[str, Any]:
    """Returns the name of a tokenizer and the texts of its reserved ids."""
    return {
        "tokenizer_class": model.preprocessor.config.tokenizer,
        "vocab_size": model.preprocessor.vocabulary.size,
        "bos_token": RESERVED[BOS] if model.boundaries else None,
        "eos_token": RESERVED[EOS],
        "unk_token": RESERVED[UNK],
        "pad_token": RESERVED[PAD],
    }


def tokenize(model: ServedModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the ids of a text.

    Args:
        model: the model.
        values: the request: `prompt`, a text or the text of a reserved id; `add_special_tokens`, by default true.

    Raises:
        RequestError: one of these is not allowed.
    """
    prompt, adds = values.get("prompt"), values.get("add_special_tokens", True)
    if not isinstance(prompt, str) or len(prompt.encode(errors="replace")) > MAX_PROMPT_BYTES:
        raise RequestError(f"prompt must be a text of at most {MAX_PROMPT_BYTES:,} bytes.", param="prompt")
    if not isinstance(adds, bool):
        raise RequestError("add_special_tokens must be true or false.", param="add_special_tokens")
    ids = [RESERVED.index(prompt)] if prompt in RESERVED else model.engine.encode(prompt.encode(errors="replace"))
    if adds and model.boundaries and ids[:1] != [BOS]:
        ids = [BOS, *ids]
    return {"tokens": ids, "count": len(ids), "max_model_len": MAX_PROMPT_BYTES}


def detokenize(model: ServedModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the text of ids, `tokens`.

    Raises:
        RequestError: they are not allowed.
    """
    ids: Any = values.get("tokens")
    size = model.preprocessor.vocabulary.size
    is_list = isinstance(ids, list) and len(ids) <= MAX_PROMPT_BYTES
    if not is_list or not all(type(number) is int and 0 <= number < size for number in ids):
        raise RequestError(
            f"tokens must be a list of at most {MAX_PROMPT_BYTES:,} token ids, which are below {size:,}.",
            param="tokens",
        )
    return {"prompt": model.engine.decode(ids).decode(errors="replace")}
