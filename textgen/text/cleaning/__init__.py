r"""Cleaning rules, one per file, as graph operations on string [B].

Patterns are RE2, in which `\s`, `\w` and `\b` match only ASCII, so character classes are written out.
"""

from collections.abc import Iterator
from functools import partial

import tensorflow as tf

from textgen.config import TextConfig
from textgen.text.cleaning.emails import mask_emails
from textgen.text.cleaning.entities import decode_entities
from textgen.text.cleaning.escapes import remove_escapes
from textgen.text.cleaning.ignorables import has_ignorables, space_separators
from textgen.text.cleaning.mentions import mask_mentions
from textgen.text.cleaning.normalization import normalize
from textgen.text.cleaning.numbers import mask_numbers, zero_digits
from textgen.text.cleaning.punctuation import strip_punctuation
from textgen.text.cleaning.redactions import mask_redactions
from textgen.text.cleaning.repeats import limit_repeats
from textgen.text.cleaning.rows import CleaningRule, has_non_ascii, narrow_rows, update_rows
from textgen.text.cleaning.rules import CleaningStep, apply_rules
from textgen.text.cleaning.tags import open_cdata, strip_tags
from textgen.text.cleaning.unicode_forms import TENSORFLOW_TEXT_FORMS, UnicodeForms
from textgen.text.cleaning.urls import mask_urls
from textgen.text.cleaning.whitespace import collapse, collapse_within_lines, keep_lines


def clean(
    texts: tf.Tensor,
    config: TextConfig,
    continued: tf.Tensor | None = None,
    *,
    forms: UnicodeForms = TENSORFLOW_TEXT_FORMS,
) -> tf.Tensor:
    r"""Applies the cleaning rules that the settings select: "It’s  Ahab!\r\n" → "it’s ahab!".

    Cleaning is idempotent. The order of the rules:

    1. Escape sequences, then Unicode normal form and case, so that all other rules see one form of each character.
    2. HTML, since its attributes contain URLs.
    3. URLs, which may contain e-mail addresses; then these, which contain what looks like a mention; then mentions.
    4. Redactions before numbers, since both match dates.
    5. Punctuation, which rules 1 to 4 need.
    6. Repeated characters, since URLs contain `www` and `//`.
    7. White space, which every other rule may leave behind.

    With `normalization="none"`, escape sequences, ignorable characters and kept white space stay as they are too, so
    that a text without other rules does not change at all.

    The cleaned chunks of a document, concatenated, equal the cleaned document, with two exceptions: a match that
    contains white space and spans two chunks (an HTML element, two redactions, the title of a terminal), and a
    leading space if nothing of the first chunk remains.

    Args:
        texts: string [B], valid UTF-8.
        config: the text settings.
        continued: bool [B], whether a text is a further chunk of the document of the preceding text; such a chunk
            starts with white space. None if no text is one.
        forms: the normal forms of Unicode.

    Returns:
        string [B], valid UTF-8.
    """
    texts = apply_rules(texts, list(_steps(config, forms)))
    if config.whitespace == "keep":
        return texts if config.normalization == "none" else keep_lines(texts)
    return (collapse_within_lines if config.line_ends == "token" else collapse)(texts, continued)


def _steps(config: TextConfig, forms: UnicodeForms) -> Iterator[CleaningStep]:
    """Yields the steps before the rule for white space."""
    if config.normalization == "none":
        yield from _optional_steps(config, CleaningStep(tf.identity))
        return
    normal = CleaningStep(partial(normalize, form=config.normalization, fold=config.case == "fold", forms=forms))
    others = list(_optional_steps(config, normal))
    yield CleaningStep(remove_escapes)
    yield normal
    yield from others
    if others:
        yield CleaningStep(partial(_renormalize, normal=normal.rule))


def _renormalize(texts: tf.Tensor, normal: CleaningRule) -> tf.Tensor:
    """Removes joiners whose words other rules have replaced."""
    rows = narrow_rows(texts, has_non_ascii(texts), has_ignorables)
    return update_rows(texts, rows, lambda texts: normal(space_separators(texts)))


def _optional_steps(config: TextConfig, normal: CleaningStep) -> Iterator[CleaningStep]:
    """Yields the steps that are off by default."""
    if config.html == "strip":
        yield CleaningStep(partial(decode_entities, fold=config.case == "fold"), exposes_matches=True)
        yield CleaningStep(open_cdata, exposes_matches=True)
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
        # Without the apostrophe between them, a letter and an accent may compose.
        yield normal
        # Without the mark between them, two redactions are adjacent, and "v1,5" has a number.
        yield from _codes(config)
    if config.max_repeats:
        masks = "mask" in (config.urls, config.emails, config.mentions, config.redactions, config.numbers)
        yield CleaningStep(
            partial(limit_repeats, longest=config.max_repeats, spared="x" if masks else ""), exposes_matches=True
        )


def _codes(config: TextConfig) -> Iterator[CleaningStep]:
    """Yields the rules whose matches need no punctuation around them."""
    if config.redactions == "mask":
        yield CleaningStep(mask_redactions)
    if config.numbers == "mask":
        yield CleaningStep(mask_numbers)
    if config.numbers == "zero":
        yield CleaningStep(zero_digits)
