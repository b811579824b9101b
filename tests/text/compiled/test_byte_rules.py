import dataclasses

import pytest

from textgen.config import TextConfig
from textgen.config.fields import setting
from textgen.text.compiled.byte_rules import MARK, OTHER, QUOTE, SPACE, STRIP, WORD, ByteRules, byte_rules


def rules(**settings: object) -> ByteRules:
    found = byte_rules(TextConfig(**settings))
    assert found is not None
    return found


def test_the_kinds_of_bytes() -> None:
    kinds = rules().kinds
    assert [kinds[ord(c)] for c in "aZ09 \n\x00\x7f.'_"] == [WORD] * 4 + [SPACE] * 4 + [MARK, QUOTE, MARK]
    assert set(kinds[128:].tolist()) == {OTHER}


@pytest.mark.parametrize(
    ("settings", "characters"),
    [
        ({"urls": "mask"}, "/."),
        ({"emails": "mask"}, "@"),
        ({"mentions": "mask"}, "@"),
        ({"numbers": "mask"}, "0123456789"),
        ({"max_repeats": 2}, "'"),
        ({"unknown_word": "<unk>"}, "<>"),
    ],
)
def test_bytes_of_matches_are_left_to_the_graph(settings: dict, characters: str) -> None:
    others = [chr(code) for code in range(128) if rules(**settings).kinds[code] == OTHER]
    assert others == sorted(characters)


def test_bytes_are_mapped_as_the_settings_say() -> None:
    assert bytes(rules().mapped[list(b"aZ9\t")]) == b"az9 "
    assert bytes(rules(case="keep", numbers="zero", whitespace="keep").mapped[list(b"aZ9\t\r\x01")]) == b"aZ0\t\n "


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"html": "strip"}, b"a<b"), ({"html": "strip"}, b"a&b"), ({"redactions": "mask"}, b"aXx")],
)
def test_texts_with_matches_that_span_white_space_are_left_to_the_graph(settings: dict, text: bytes) -> None:
    assert rules(**settings).whole.search(text) and not rules().whole.search(text)
    assert rules().whole.search(b"a \x1b[1m")


def test_settings_without_rules_for_bytes_have_none() -> None:
    assert byte_rules(TextConfig(line_ends="token")) is None
    assert byte_rules(TextConfig(normalization="none", case="keep")) is None
    assert byte_rules(TextConfig(tokenizer="bpe", punctuation="strip")) is None
    assert byte_rules(TextConfig(tokenizer="char", punctuation="strip")) is None
    assert byte_rules(TextConfig(tokenizer="sentencepiece", punctuation="keep")) is None


def test_text_of_which_all_is_kept_does_not_change() -> None:
    kept = {"tokenizer": "bpe", "case": "keep", "whitespace": "keep", "punctuation": "keep"}
    assert not rules(normalization="none", **kept).changes
    assert rules(normalization="nfc", **kept).changes


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExtendedConfig(TextConfig):
    """Settings with a cleaning rule that was added."""

    hashtags: str = setting("keep", choices=("keep", "mask"), group="cleaning", help="hashtags")


def test_text_is_left_to_the_graph_where_a_new_cleaning_rule_is_asked_for() -> None:
    assert byte_rules(ExtendedConfig()) is not None
    assert byte_rules(ExtendedConfig(hashtags="mask")) is None


def test_the_other_rules_are_those_of_the_settings() -> None:
    found = rules(punctuation="strip", whitespace="keep", max_repeats=3)
    assert (found.marks, found.collapses, found.longest_run) == (STRIP, False, 3)
