r"""The rules that make text regular, one a file, as graph operations on string[B].

Patterns are RE2, where `\s`, `\w` and `\b` mean ASCII alone; so every class is spelt out.
"""

from collections.abc import Iterator
from functools import partial

import tensorflow as tf

from textgen.config import TextConfig
from textgen.text.cleaning.emails import mask_emails
from textgen.text.cleaning.entities import decode_entities
from textgen.text.cleaning.mentions import mask_mentions
from textgen.text.cleaning.normalization import normalize
from textgen.text.cleaning.numbers import mask_numbers, zero_digits
from textgen.text.cleaning.punctuation import strip_punctuation
from textgen.text.cleaning.redactions import mask_redactions
from textgen.text.cleaning.repeats import limit_repeats
from textgen.text.cleaning.rules import CleaningStep, apply_rules
from textgen.text.cleaning.tags import strip_tags
from textgen.text.cleaning.urls import mask_urls
from textgen.text.cleaning.whitespace import collapse, keep_lines


def clean(texts: tf.Tensor, config: TextConfig, continued: tf.Tensor | None = None) -> tf.Tensor:
    r"""The texts as the rules that `config` asks for leave them.

    "It’s  Ahab!\r\n" becomes "it’s ahab!", or "its ahab" with punctuation stripped. Cleaning what is clean
    changes nothing.

    The order: normal form and case come first, so that all other rules meet one form of each character. HTML is
    next, since its tags hold addresses; then addresses of pages, which may hold those of mail, which hold what looks
    like a name; redactions before numbers, since both have dates. Punctuation goes once no rule needs it, and runs of
    a character are cut when no rule needs `www` or `//`. White space is last, as every rule leaves some behind.

    A long document may be given in parts, each but the first beginning with white space. Cleaned, the parts on end
    are the whole cleaned, but where the match of a rule holds white space and spans the cut (an HTML element, two
    redactions), and but for a space at the front where nothing is left of the first part.

    Args:
        texts: string[B], UTF-8.
        config: chooses the rules.
        continued: bool[B], which texts go on from another; None where none do.

    Returns:
        string[B], UTF-8.
    """
    texts = apply_rules(texts, list(_steps(config)))
    return collapse(texts, continued) if config.whitespace == "collapse" else keep_lines(texts)


def _steps(config: TextConfig) -> Iterator[CleaningStep]:
    """All rules but the last."""
    normal = CleaningStep(partial(normalize, form=config.normalization, fold=config.case == "fold"))
    yield normal
    if config.html == "strip":
        yield CleaningStep(partial(decode_entities, fold=config.case == "fold"), exposes_matches=True)
        yield CleaningStep(partial(strip_tags, lines=config.whitespace == "keep"))
    if config.urls == "mask":
        yield CleaningStep(mask_urls)
    if config.emails == "mask":
        yield CleaningStep(mask_emails)
    if config.mentions == "mask":
        yield CleaningStep(mask_mentions)
    yield from _codes(config)
    if config.punctuation == "strip":
        yield CleaningStep(strip_punctuation)
        # An apostrophe gone, a letter and an accent may stand side by side and join.
        yield normal
        # A mark gone, so may two redactions, and "v1,5" has a number.
        yield from _codes(config)
    if config.max_repeats:
        masks = "mask" in (config.urls, config.emails, config.mentions, config.redactions, config.numbers)
        yield CleaningStep(
            partial(limit_repeats, longest=config.max_repeats, spared="x" if masks else ""), exposes_matches=True
        )


def _codes(config: TextConfig) -> Iterator[CleaningStep]:
    """Rules that know what they take by letters and digits alone."""
    if config.redactions == "mask":
        yield CleaningStep(mask_redactions)
    if config.numbers == "mask":
        yield CleaningStep(mask_numbers)
    if config.numbers == "zero":
        yield CleaningStep(zero_digits)
