import dataclasses

import pytest

from textgen.config import TextConfig, to_json
from textgen.config.schema import SchemaError
from textgen.config.settings_kind import SettingsOf


def test_settings_are_checked_by_their_own_declarations():
    kind = SettingsOf(TextConfig)
    text = TextConfig(vocabulary_size=7)
    assert kind.check(to_json(text), "text") == text
    for changed, message in [
        ({"vocabulary_size": 0}, "in text, vocabulary size is 0; it must be at least 1"),
        ({"vocabulary_size": 10**400}, "in text, vocabulary size is too large"),
        ({"tokenizer_model": "../x"}, "in text, tokenizer model is '../x'; it must match"),
        ({"unknown_word": "x" * 20_000}, "in text, unknown word has 20,000 characters"),
    ]:
        with pytest.raises(SchemaError) as error:
            kind.check({**dataclasses.asdict(text), **changed}, "text")
        assert str(error.value).startswith(message)
    with pytest.raises(SchemaError, match="in text, the settings are a list; they must be an object"):
        kind.check([], "text")
