import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.text.compiled.byte_rules import byte_rules
from textgen.text.compiled.chunk_cache import GraphTokens
from textgen.text.compiled.plain_chunks import PlainChunks, plain_characters
from textgen.text.preprocessor import Analyzer

CONFIGS = [
    TextConfig(),
    TextConfig(case="keep", punctuation="keep", normalization="nfc"),
    TextConfig(normalization="nfc", whitespace="keep"),
    TextConfig(punctuation="strip"),
    TextConfig(punctuation="strip", whitespace="keep", max_repeats=2),
    TextConfig(urls="mask", emails="mask", mentions="mask", numbers="mask", redactions="mask"),
    TextConfig(numbers="zero", unknown_word="«unk»"),
    TextConfig(tokenizer="char", punctuation="keep", html="strip"),
    TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"]),
]
OTHERS = "".join(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), *range(0x4E00, 0x9FA6, 97)]))
OTHERS += "".join(map(chr, [*range(0xAC00, 0xD7A4, 89), *range(0xE000, 0xF900, 31)]))


@functools.cache
def cutters(config: TextConfig) -> tuple[PlainChunks, Analyzer, str]:
    rules, analyzer = byte_rules(config), Analyzer(config)
    assert rules is not None
    return PlainChunks(config, rules, no_graph), analyzer, "".join(map(chr, plain_characters(config, rules))) + OTHERS


def no_graph(chunks: list[bytes], continued: list[bool]) -> GraphTokens:
    raise AssertionError(f"the graph was asked for {chunks}")


def check(config: TextConfig, chunks: list[str]) -> int:
    """Compares the chunks that are cut with those of the graph; returns how many there are."""
    cutter, analyzer, _ = cutters(config)
    cut = {chunk: cutter.cut(chunk) for chunk in chunks}
    plain = [chunk for chunk, found in cut.items() if found is not None]
    graph = analyzer.tokenize([chunk.encode() for chunk in plain], [False] * len(plain))
    cuts_words = config.tokenizer == "word"
    tokens = iter(graph.symbols[graph.indices].tolist() if cuts_words else [])
    lengths = graph.lengths if cuts_words else [0] * len(plain)
    for chunk, cleaned, length in zip(plain, graph.cleaned, lengths, strict=True):
        words = [token.decode() for token in itertools.islice(tokens, int(length))]
        assert cut[chunk] == (cleaned.decode(), words), (chunk, [hex(ord(character)) for character in chunk])
    return len(plain)


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_every_plain_character_is_cleaned_as_by_the_graph(config: TextConfig) -> None:
    _, _, characters = cutters(config)
    forms = ["{}", "a{}b", "'{}’"]
    assert check(config, [form.format(character) for character in characters for form in forms]) > 2000


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_chunks_are_cut_as_by_the_graph(config: TextConfig, data: st.DataObject) -> None:
    _, _, characters = cutters(config)
    common = st.sampled_from("aZ0'’.-—é\u00a0…ÉΣςя😀²´\u00ad\u200b\ufeff\ue000")
    chunk = st.text(common | st.sampled_from(characters), min_size=1, max_size=8)
    check(config, data.draw(st.lists(chunk, max_size=40)))


def test_common_text_of_latin_greek_and_cyrillic_is_plain() -> None:
    text = "Café Straßen-Ärger «naïve» “quoted” it’s – 5 € … ΣΊΣΥΦΟΣ ἀρχή Привет, мир! № 5\u00a0km © ½ ™ 😀 → ∑ Łódź"
    text += " it´s 서울은 漢字、 \ufffd a\u00adb \u200b \uf0b7x"
    cutter, _, _ = cutters(TextConfig())
    assert all(cutter.cut(chunk) for chunk in text.split(" "))


@pytest.mark.parametrize("chunk", ["e\u0301", "İ", "\u4e00\u200b", "ไทย", "❤\ufe0f", "👍🏽", "می", "が\u3099"])
def test_characters_that_depend_on_others_are_left_to_the_graph(chunk: str) -> None:
    cutter, _, _ = cutters(TextConfig())
    assert cutter.cut(chunk) is None


def test_chunks_of_both_kinds_keep_their_order() -> None:
    config = TextConfig()
    rules, analyzer = byte_rules(config), Analyzer(config)
    assert rules is not None
    chunks = ["été,".encode(), "ไทย".encode(), "e\u0301!".encode(), "—".encode()]
    found = PlainChunks(config, rules, analyzer.tokenize)(chunks, [False] * 4)
    expected = analyzer.tokenize(chunks, [False] * 4)
    assert found.cleaned.tolist() == expected.cleaned.tolist()
    assert found.lengths.tolist() == expected.lengths.tolist()
    assert found.characters.tolist() == expected.characters.tolist()
    assert found.symbols[found.indices].tolist() == expected.symbols[expected.indices].tolist()
