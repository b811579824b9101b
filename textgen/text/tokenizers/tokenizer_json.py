"""Reads and writes byte-level BPE as `tokenizer.json`, the file of Hugging Face's tokenizers.

https://huggingface.co/docs/tokenizers describes the library; the file is what its `Tokenizer.save` writes.
"""

import json
from collections.abc import Sequence
from typing import Any

from textgen.config import RESERVED
from textgen.errors import UserError, require
from textgen.text.tokenizers.byte_alphabet import ALPHABET
from textgen.text.tokenizers.merges import merges_of

_REMEDY = "Use a tokenizer.json of byte-level BPE with GPT-2's pattern, or leave --tokenizer-model out to learn one."

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_ABSENT = {
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
}
"""Options of the model that change the ids of some text, and are not used."""


def write_json(tokens: Sequence[str], *, reserved: bool = True) -> bytes:
    """Returns the content of `tokenizer.json`, with the ids that the tokens have in a dataset.

    Args:
        tokens: the tokens in the order of their merges; `tokens[i]` has the id `i + 4`.
        reserved: whether the four reserved ids are special tokens, which are found in text by their names.

    Raises:
        UserError: a byte is missing, or a token is not made of two tokens before it.
    """
    ids = {token: i for i, token in enumerate((*RESERVED, *tokens))}
    values: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special(i, text) for i, text in enumerate(RESERVED)] if reserved else [],
        "normalizer": None,
        "pre_tokenizer": _BYTE_LEVEL,
        "post_processor": None,
        "decoder": _BYTE_LEVEL,
        "model": {
            "type": "BPE",
            **_ABSENT,
            "vocab": ids,
            "merges": [f"{tokens[left]} {tokens[right]}" for left, right in merges_of(tokens)],
        },
    }
    return json.dumps(values, ensure_ascii=False, indent=1).encode() + b"\n"


def read_json(content: bytes) -> tuple[str, ...]:
    """Returns the tokens of a `tokenizer.json`, in the order of its ids, without special tokens.

    Raises:
        UserError: it is no such file, or one that divides or numbers text otherwise than by byte-level BPE with the
            pattern of GPT-2 and ids in the order of the merges.
    """
    try:
        values = json.loads(content)
        model = values["model"]
        _check_options(values, model)
        vocabulary = {str(token): int(i) for token, i in model["vocab"].items()}
        merges = [tuple(each.split(" ")) if isinstance(each, str) else tuple(each) for each in model["merges"]]
        special = {each["content"] for each in values.get("added_tokens") or [] if each["special"]}
        made = {"".join(pair) for pair in merges}
    except UserError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError(f"the tokenizer model is not a tokenizer.json of a BPE model. {_REMEDY}") from None
    tokens = tuple(
        token for token in sorted(vocabulary, key=vocabulary.__getitem__) if token in made or token in ALPHABET
    )
    strange = sorted(vocabulary.keys() - set(tokens) - special)
    require(
        not strange,
        f"the tokenizer model has the token {''.join(map(repr, strange[:1]))}, which no merge makes. {_REMEDY}",
    )
    require(
        [(tokens[left], tokens[right]) for left, right in merges_of(tokens)] == merges,
        f"the ids of the tokenizer model are not in the order of its merges. {_REMEDY}",
    )
    return tokens


def _check_options(values: dict[str, Any], model: dict[str, Any]) -> None:
    """Checks all parts but the tokens.

    Raises:
        UserError: a part changes text, or divides it in another way.
    """
    normalizer, division = (_kind(values.get(name)) for name in ("normalizer", "pre_tokenizer"))
    require(
        normalizer is None,
        f"the tokenizer model has the normalizer {normalizer!r}; the settings of cleaning take its place. {_REMEDY}",
    )
    require(
        division == "ByteLevel"
        and not values["pre_tokenizer"]["add_prefix_space"]
        and values["pre_tokenizer"].get("use_regex", True),
        f"the tokenizer model divides text by {division!r}; it must be ByteLevel with its own pattern and without a "
        f"prefix space. {_REMEDY}",
    )
    require(
        model["type"] == "BPE", f"the tokenizer model is of the type {model['type']!r}; it must be BPE. {_REMEDY}"
    )
    used = [name for name in _ABSENT if name != "unk_token" and model.get(name)]
    require(not used, f"the tokenizer model uses {', '.join(map(repr, used))}, which textgen does not. {_REMEDY}")
    added = [each["content"] for each in values.get("added_tokens") or [] if not each["special"]]
    require(
        not added,
        f"the tokenizer model has the added token {''.join(map(repr, added[:1]))}, which no merge makes. {_REMEDY}",
    )


def _kind(part: dict[str, Any] | None) -> str | None:
    """Returns the type of a part of the file; None if there is no such part."""
    return part["type"] if part else None


def _special(number: int, text: str) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": text, **flags, "special": True}
