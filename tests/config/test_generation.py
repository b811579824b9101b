import pytest

from textgen.config import GeneratedTextConfig, GenerationConfig
from textgen.errors import UserError


def test_single_values_are_lists_of_one():
    config = GenerationConfig(temperature=0.5, stop="a", ban="b")
    assert (config.temperature, config.stop, config.ban) == ((0.5,), ("a",), ("b",))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"temperature": -1},
            "temperature is -1.0; it must be finite and at least 0. Use 0 for the likeliest token.",
        ),
        ({"temperature": [1, -1]}, "temperature is -1.0; it must be finite and at least 0."),
        ({"temperature": []}, "temperature is an empty list; it must have at least one number. Use 1."),
        ({"top_p": 0}, "top p is 0.0; it must be above 0 and at most 1. Use 1 for all tokens, or temperature 0"),
        ({"top_p": 1.1}, "top p is 1.1; it must be above 0 and at most 1"),
        ({"top_k": -1}, "top k is -1; it must be at least 0. Use 0 for all tokens."),
        ({"min_p": 2}, "min p is 2.0; it must be from 0 to 1"),
        ({"repetition_penalty": 0}, "repetition penalty is 0.0; it must be from 0.01 to 100"),
        ({"logit_bias": {"a": float("nan")}}, "logit bias is nan; it must be from -100 to 100"),
        ({"logit_bias": {"a": "b"}}, "logit bias is 'b'; it must be numbers"),
        ({"logit_bias": ["a"]}, "logit bias is ['a']; it must be numbers by token"),
        ({"min_tokens": 9, "tokens": 8}, "min tokens is 9; it must be at most tokens, which is 8"),
        *(
            (
                {"beams": 4, name: value},
                f"{name.replace('_', ' ')} is set and beams is 4; a search of several beams does",
            )
            for name, value in {"temperature": 0.5, "top_k": 3, "top_p": 0.5, "min_p": 0.1}.items()
        ),
        (
            {"length_penalty": 0.5},
            "length penalty is 0.5 and beams is 1; only a search of several beams has one. Raise",
        ),
        ({"tokens": 0}, "tokens is 0; it must be from 1 to 1,000,000"),
        ({"stop": ["a", ""]}, "a stop string is empty; it must have at least one character"),
        ({"stop": ["a"] * 65}, "there are 65 stop strings; there must be at most 64"),
        ({"stop": "é" * 501}, "a stop string has 1,002 bytes; it must have at most 1,000"),
        ({"stop": 3}, "stop is 3; it must be texts"),
    ],
)
def test_what_is_not_allowed_is_refused_with_the_rule(settings: dict, message: str):
    with pytest.raises(UserError) as refused:
        GenerationConfig(**settings)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generation_top_p": 0.5}, "generation top p is 0.5, and no text is generated. Add --generation, or leave"),
        (
            {"generation": True, "generation_texts": 10_000, "generation_tokens": 1000},
            "are 10,000,000 tokens; they must be at most 2,000,000. Lower --generation-texts",
        ),
        ({"generation": True, "generation_temperature": -1}, "generation temperature is -1.0; it must be finite"),
        ({"generation": True, "generation_texts": 0}, "generation texts is 0; it must be from 1 to 10,000"),
    ],
)
def test_settings_of_texts_to_compare_are_checked(settings: dict, message: str):
    with pytest.raises(UserError) as refused:
        GeneratedTextConfig(**settings)
    assert message in str(refused.value)
