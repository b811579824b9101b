import pytest

from textgen.text.tokenizers.pieces import is_suffix, piece_text


@pytest.mark.parametrize(
    ("piece", "suffix", "text"), [("##s", True, "s"), ("whale", False, " whale"), ("##", False, " ##")]
)
def test_a_piece_that_continues_a_word_has_no_space(piece: str, suffix: bool, text: str) -> None:
    assert (is_suffix(piece), piece_text(piece)) == (suffix, text)
