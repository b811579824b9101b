import dataclasses
import json
import math

import pytest

from textgen import config
from textgen.config import (
    PrepareConfig,
    SelectionConfig,
    TextConfig,
    from_json,
    to_json,
)
from textgen.errors import UserError

CONFIGS = [
    TextConfig(tokenizer="char", punctuation="keep", unknown="drop", urls="mask", max_repeats=3, normalization="nfc"),
    SelectionConfig(min_tokens=2, max_tokens=9, min_letters_percent=12.5, duplicates="drop", near_duplicates=0.8),
    PrepareConfig(
        text=TextConfig(case="keep"),
        selection=SelectionConfig(repetition="drop", near_duplicates=0.5),
        format="csv",
        text_field="spéech",
        encoding="cp1252",
        stride=3,
        boundaries=False,
    ),
]


def prepare(**settings):
    return PrepareConfig(text=TextConfig(), **settings)


def test_reserved_ids_are_numbered_in_the_order_of_their_names():
    assert (config.PAD, config.UNK, config.BOS, config.EOS) == (0, 1, 2, 3)
    assert config.RESERVED == ("[PAD]", "[UNK]", "[BOS]", "[EOS]")


@pytest.mark.parametrize(
    ("make", "setting", "value", "message"),
    [
        (TextConfig, "tokenizer", "syllable", r"'syllable'; it must be one of: word, char, byte, .*sentencepiece"),
        (TextConfig, "normalization", "nfd", r"normalization is 'nfd'; it must be one of: nfkc, nfc, none\."),
        (TextConfig, "case", "upper", r"case is 'upper'; it must be one of: fold, keep\."),
        (TextConfig, "whitespace", "", r"whitespace is ''; it must be one of: collapse, keep\."),
        (TextConfig, "punctuation", "drop", r"punctuation is 'drop'; it must be one of: keep, separate, strip\."),
        (TextConfig, "unknown", "skip", r"unknown is 'skip'; it must be one of: token, drop\."),
        (TextConfig, "html", "mask", r"html is 'mask'; it must be one of: keep, strip\."),
        (TextConfig, "urls", "drop", r"urls is 'drop'; it must be one of: keep, mask\."),
        (TextConfig, "emails", "drop", r"emails is 'drop'; it must be one of: keep, mask\."),
        (TextConfig, "mentions", "drop", r"mentions is 'drop'; it must be one of: keep, mask\."),
        (TextConfig, "redactions", "drop", r"redactions is 'drop'; it must be one of: keep, mask\."),
        (TextConfig, "numbers", "drop", r"numbers is 'drop'; it must be one of: keep, zero, mask\."),
        (
            TextConfig,
            "max_repeats",
            -1,
            r"max repeats is -1; it must be at least 0\. Use 0 to keep runs of any length\.",
        ),
        (TextConfig, "vocabulary_size", 0, r"vocabulary size is 0; it must be at least 1\."),
        (SelectionConfig, "min_tokens", -1, r"min tokens is -1; it must be at least 0\."),
        (SelectionConfig, "max_tokens", -1, r"max tokens is -1; it must be at least 0\."),
        (SelectionConfig, "min_letters_percent", -1, r"min letters percent is -1\.0; it must be from 0 to 100\."),
        (SelectionConfig, "min_letters_percent", math.nan, r"min letters percent is nan; it must be from 0 to 100\."),
        (SelectionConfig, "min_letters_percent", 100.5, r"min letters percent is 100\.5; it must be from 0 to 100\."),
        (SelectionConfig, "repetition", "mask", r"repetition is 'mask'; it must be one of: keep, drop\."),
        (SelectionConfig, "duplicates", "near", r"duplicates is 'near'; it must be one of: keep, drop\."),
        (
            SelectionConfig,
            "near_duplicates",
            0.4,
            r"near duplicates is 0\.4; it must be 0, or at least 0\.5 and below 1\. Use 0\.8",
        ),
        (
            SelectionConfig,
            "near_duplicates",
            1.0,
            r"near duplicates is 1; .* --duplicates drop to drop only exact duplicates\.",
        ),
        (
            SelectionConfig,
            "near_duplicates",
            -0.8,
            r"near duplicates is -0\.8; it must be 0, or at least 0\.5 and below 1\.",
        ),
        (
            SelectionConfig,
            "near_duplicates",
            math.nan,
            r"near duplicates is nan; it must be finite\. Use 0\.8",
        ),
        (prepare, "format", "yaml", r"'yaml'; it must be one of: auto, document, .*csv, tsv, jsonl, json, parquet"),
        (
            prepare,
            "on_invalid",
            "keep",
            r"is 'keep'; it must be one of: replace-few, replace, drop, fail\.",
        ),
        (prepare, "encoding", "klingon", r"encoding is 'klingon', which Python does not know\. Use a name .*utf-8"),
        (prepare, "encoding", "hex", r"encoding is 'hex', which Python does not know\."),
        (prepare, "layout", "columns", r"layout is 'columns'; it must be one of: pairs, spans\."),
        (prepare, "split_by", "line", r"split by is 'line'; it must be one of: document, tail\."),
        (prepare, "window", 0, r"window is 0; it must be from 1 to 4,096\. It is the number of tokens"),
        (prepare, "window", 4097, r"window is 4097; it must be from 1 to 4,096\."),
        (prepare, "stride", 0, r"stride is 0; it must be from 1 to 1,000,000\. Use 1 for every window\."),
        (prepare, "validation_percent", -1.0, r"validation percent is -1\.0; it must be at least 0 and below 100\."),
        (
            prepare,
            "validation_percent",
            math.nan,
            r"validation percent is nan; it must be at least 0 and below 100\.",
        ),
        (prepare, "test_percent", -0.5, r"test percent is -0\.5; it must be at least 0 and below 100\."),
        (
            prepare,
            "test_percent",
            95.0,
            r"take 100 percent .* leave some to train on\. Lower --validation-percent or",
        ),
        (prepare, "test_percent", math.inf, r"test percent is inf; it must be at least 0 and below 100\."),
    ],
)
def test_a_bad_value_is_named_with_its_rule(make, setting, value, message):
    with pytest.raises(UserError, match=message):
        make(**{setting: value})


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (prepare, {"window": 1, "stride": 10_000}),
        (prepare, {"window": 4096}),
        (prepare, {"validation_percent": 0, "test_percent": 0}),
        (prepare, {"validation_percent": 50, "test_percent": 49.5}),
        (TextConfig, {"vocabulary_size": 1, "max_repeats": 0}),
        (SelectionConfig, {"min_tokens": 3, "max_tokens": 3}),
        (SelectionConfig, {"min_tokens": 3, "max_tokens": 0}),
        (SelectionConfig, {"min_letters_percent": 100, "near_duplicates": 0.5}),
        (SelectionConfig, {"near_duplicates": 0.999}),
    ],
)
def test_a_value_at_the_edge_of_its_range_is_taken(make, settings):
    made = make(**settings)
    assert {name: getattr(made, name) for name in settings} == settings


def test_the_least_tokens_are_no_more_than_the_most():
    with pytest.raises(
        UserError, match=r"min tokens is 9 and max tokens is 8; the minimum must not exceed the maximum\. Lower"
    ):
        SelectionConfig(min_tokens=9, max_tokens=8)


@pytest.mark.parametrize(
    ("name", "expected"), [("UTF8", "utf-8"), ("latin1", "iso8859-1"), ("Windows-1252", "cp1252"), ("U16", "utf-16")]
)
def test_an_encoding_goes_by_one_name(name, expected):
    assert prepare(encoding=name).encoding == expected
    assert prepare(encoding=name) == prepare(encoding=expected)


def test_shares_are_one_setting_however_they_are_written():
    assert json.dumps(to_json(prepare(validation_percent=5, test_percent=5))) == json.dumps(to_json(prepare()))


@pytest.mark.parametrize("made", CONFIGS, ids=lambda made: type(made).__name__)
def test_a_config_survives_a_round_trip_through_json(made):
    assert from_json(type(made), json.loads(json.dumps(to_json(made)))) == made


@pytest.mark.parametrize("made", CONFIGS, ids=lambda made: type(made).__name__)
def test_a_setting_of_another_version_is_refused_by_name(made):
    with pytest.raises(UserError, match=r"unknown settings \['beams'\].*another version of textgen\. Use that"):
        from_json(type(made), {**to_json(made), "beams": 4})


@pytest.mark.parametrize("part", ["text", "selection"])
def test_a_setting_of_another_version_is_refused_inside_the_parts_too(part):
    values = to_json(prepare())
    values[part]["stemming"] = True
    with pytest.raises(UserError, match=r"unknown settings \['stemming'\]"):
        from_json(PrepareConfig, values)


def test_a_config_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        prepare().window = 3


def test_settings_are_given_by_name_only():
    with pytest.raises(TypeError):
        TextConfig("char")


def test_the_held_out_shares_come_in_the_order_of_the_splits():
    made = prepare(validation_percent=10, test_percent=0)
    assert list(made.held_out_percent().items()) == [("validation", 10), ("test", 0)]
