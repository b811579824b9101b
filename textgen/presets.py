"""Settings that go together, by name: those of the two notebooks, and those that a kind of text needs."""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    # The word-level Keras notebook on consumer complaints.
    "notebook": {
        "prepare": {"tokenizer": "word", "vocabulary_size": 500, "punctuation": "strip", "window": 44},
        "train": {
            "embedding": 8, "layers": 3, "units": (50,), "optimizer": "rmsprop", "clip_norm": 0.0, "batch_size": 128,
            "sample_prompt": "Last night I went on a date with",
        },
    },
    # The character-level LSTM on a novel.
    "char": {
        "prepare": {"tokenizer": "char", "window": 128, "split_by": "tail", "layout": "spans"},
        "train": {
            "network": "lstm", "embedding": 64, "units": (512,), "dropout": 0.5, "stateful": True, "batch_size": 32,
            "learning_rate": 0.004, "schedule": "cosine", "warmup_steps": 50, "sample_tokens": 200,
        },
    },
    # Books and articles from the web.
    "prose": {
        "prepare": {
            "html": "strip", "urls": "mask", "min_tokens": 20, "min_letters_percent": 60, "repetition": "drop",
            "duplicates": "drop",
        },
    },
    # Narratives of consumers, in which names and dates are redacted.
    "complaints": {
        "prepare": {
            "redactions": "mask", "urls": "mask", "emails": "mask", "numbers": "zero", "min_tokens": 5,
            "duplicates": "drop",
        },
    },
    # Posts and messages: short, with names, addresses and drawn-out words.
    "social": {
        "prepare": {
            "html": "strip", "urls": "mask", "emails": "mask", "mentions": "mask", "max_repeats": 3, "min_tokens": 2,
            "duplicates": "drop",
        },
    },
}  # fmt: skip
"""By stage; an option given on the command line goes first."""
