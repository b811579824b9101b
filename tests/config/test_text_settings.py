import pytest

from textgen.config import TEXT_DEFAULTS, TOKENIZERS, TextConfig
from textgen.errors import UserError


@pytest.mark.parametrize("tokenizer", [name for name in TOKENIZERS if name != "word"])
def test_only_words_have_their_marks_kept_apart(tokenizer):
    with pytest.raises(
        UserError, match=rf"punctuation is 'separate' with the {tokenizer} tokenizer.*Use 'keep' or 'strip'\."
    ):
        TextConfig(tokenizer=tokenizer)


def test_wordpieces_do_not_keep_white_space():
    with pytest.raises(UserError, match=r"whitespace is 'keep' with the wordpiece tokenizer.*Use 'collapse'\."):
        TextConfig(tokenizer="wordpiece", punctuation="keep", whitespace="keep")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_the_defaults_of_every_tokenizer_are_settings_that_it_takes(tokenizer):
    assert TextConfig(tokenizer=tokenizer, **TEXT_DEFAULTS[tokenizer]).tokenizer == tokenizer


@pytest.mark.parametrize("settings", [{"unknown_word": "<unk>"}, {"line_ends": "token"}])
def test_words_of_special_meaning_need_the_word_tokenizer(settings):
    assert TextConfig(**settings)
    with pytest.raises(UserError, match="with the char tokenizer.*--tokenizer word"):
        TextConfig(tokenizer="char", punctuation="keep", **settings)


def test_the_vocabulary_of_bpe_has_room_for_the_bytes():
    made = TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"], vocabulary_size=256)
    assert made.vocabulary_size == 256
    with pytest.raises(UserError, match=r"vocabulary size is 255 with the bpe tokenizer.*it must be at least 256\."):
        TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"], vocabulary_size=255)


def test_text_without_a_normal_form_keeps_its_case():
    assert TextConfig(normalization="none", case="keep")
    with pytest.raises(UserError, match=r"case is 'fold' with normalization 'none'.*Use --case keep"):
        TextConfig(normalization="none")


def test_words_without_a_normal_form_have_their_white_space_collapsed():
    with pytest.raises(UserError, match=r"whitespace is 'keep' with normalization 'none' and the word tokenizer"):
        TextConfig(normalization="none", case="keep", whitespace="keep")
    for tokenizer in ("char", "byte", "bpe", "sentencepiece"):
        settings = {"normalization": "none", "case": "keep", "whitespace": "keep", "punctuation": "keep"}
        assert TextConfig(tokenizer=tokenizer, **settings)
