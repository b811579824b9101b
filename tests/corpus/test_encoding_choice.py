import pytest

from textgen.corpus.encoding_choice import choose_encoding
from textgen.errors import UserError

RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n"
ENGLISH = "An ordinary line of a text in English, as there are so many of them in the world.\n"


def choose(head: bytes, *, encoding="utf-8", on_invalid="replace-few", is_whole=True) -> str:
    return choose_encoding("a.txt", head, is_whole=is_whole, encoding=encoding, on_invalid=on_invalid)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le", "auto"])
def test_text_in_the_given_encoding_is_read_in_it(encoding):
    text = "The café of Łódź".encode("utf-8" if encoding == "auto" else encoding, "ignore")
    assert choose(text, encoding=encoding) == ("utf-8" if encoding == "auto" else encoding)


@pytest.mark.parametrize("marked", ["utf-16", "utf-32"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "auto"])
def test_a_byte_order_mark_of_wide_text_goes_before_the_given_encoding(marked, encoding):
    assert choose(ENGLISH.encode(marked), encoding=encoding) == marked


@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("on_invalid", ["replace-few", "replace", "drop"])
def test_wide_text_without_a_mark_is_an_error_that_names_the_encoding(wide, on_invalid):
    for text in (ENGLISH, RUSSIAN):
        with pytest.raises(UserError, match=rf"a\.txt has NUL bytes .* Use --encoding {wide}, or --encoding auto"):
            choose(text.encode(wide), on_invalid=on_invalid)
        assert choose(text.encode(wide), encoding="auto") == wide


def test_escape_sequences_of_another_encoding_are_an_error():
    japanese = "これは日本語です。\n".encode("iso2022_jp")
    with pytest.raises(UserError, match="Use --encoding iso2022_jp"):
        choose(japanese)
    assert choose(japanese, encoding="auto") == "iso2022_jp"
    assert choose(b"\x1b[1mbold\x1b[0m text") == "utf-8"


def test_many_invalid_bytes_are_an_error_unless_they_are_to_be_replaced_by_name():
    with pytest.raises(UserError, match=r"is not valid utf-8: 8\d\.\d% .* use --encoding koi8-r"):
        choose(RUSSIAN.encode("koi8-r"))
    with pytest.raises(UserError, match="of its characters at its start"):
        choose(RUSSIAN.encode("koi8-r") * 99, is_whole=False)
    for on_invalid in ("replace", "drop", "fail"):
        assert choose(RUSSIAN.encode("koi8-r"), on_invalid=on_invalid) == "utf-8"
    assert choose(ENGLISH.encode() * 9 + b"caf\xe9\n") == "utf-8"


def test_text_that_is_not_in_the_given_encoding_but_in_utf8_is_told_so():
    with pytest.raises(UserError, match="It is valid UTF-8: use --encoding utf-8"):
        choose(("あいうえお" * 99).encode(), encoding="euc_jp")
    with pytest.raises(UserError, match="is ASCII text, but is to be read as utf-16-le"):
        choose(ENGLISH.encode(), encoding="utf-16-le")


@pytest.mark.parametrize("encoding", ["koi8-r", "cp1252", "shift_jis", "gb18030", "big5", "euc_kr"])
def test_auto_detects_legacy_encodings_and_its_name_is_pythons(encoding):
    texts = {
        "koi8-r": RUSSIAN, "cp1252": "Où est le café de la gare ? Là-bas, près de l’église.\n",
        "shift_jis": "これは日本語の文章です。とても短いです。\n", "gb18030": "这是一个很短的中文句子，没有别的。\n",
        "big5": "這是一個很短的中文句子，沒有別的。他們賦有理性和良心。\n",
        "euc_kr": "이것은 아주 짧은 한국어 문장입니다.\n",
    }  # fmt: skip
    assert choose(texts[encoding].encode(encoding), encoding="auto") == encoding


def test_auto_keeps_utf8_with_a_few_damaged_characters():
    assert choose((RUSSIAN * 9).encode() + b"\xff\n", encoding="auto") == "utf-8"
