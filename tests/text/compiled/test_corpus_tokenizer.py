import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.text.compiled.chunk_cache import GraphTokens
from textgen.text.compiled.corpus_tokenizer import CorpusTokenizer
from textgen.text.preprocessor import Analyzer

KEPT = {"case": "keep", "whitespace": "keep", "punctuation": "keep"}
CONFIGS = [
    TextConfig(),
    TextConfig(case="keep", punctuation="keep", normalization="nfc"),
    TextConfig(punctuation="strip"),
    TextConfig(punctuation="strip", whitespace="keep", max_repeats=2),
    TextConfig(whitespace="keep", numbers="zero"),
    TextConfig(urls="mask", emails="mask", mentions="mask", numbers="mask", redactions="mask", punctuation="strip"),
    TextConfig(html="strip", urls="mask", max_repeats=3),
    TextConfig(numbers="mask", normalization="nfc", unknown_word="<unk>"),
    TextConfig(tokenizer="wordpiece", punctuation="keep", max_repeats=1),
    TextConfig(line_ends="token"),
    TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep"),
    TextConfig(tokenizer="byte", case="keep", whitespace="keep", punctuation="keep"),
    TextConfig(tokenizer="char", punctuation="keep", urls="mask", numbers="mask", max_repeats=2),
    TextConfig(tokenizer="byte", punctuation="strip"),
    TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"]),
    TextConfig(tokenizer="bpe", punctuation="keep", urls="mask", max_repeats=2),
    *(TextConfig(tokenizer=each, normalization="none", **KEPT) for each in ("bpe", "char", "byte")),
    TextConfig(tokenizer="bpe", normalization="none", **{**KEPT, "whitespace": "collapse"}),
]
PIECES = [
    *" \t\n\r\x00\x07\x0b\x1b\x1f\x7f", "\r\n", *"aZxX09'\"-.,;:!?()[]<>&@#/=+*_~^`$%|\\", "''", "...", "don't",
    "'s", "'re", "'LL",
    "aaaa", "xx", "XXXX", "XX/XX/2015", "http://a.org/b.", "www.x.com", "a@b.org", "@ann", "1,234.5", "<br />",
    "&amp;", "&eacute;", "<unk>", "\x1b[31m", "\x1b]0;title\x07", "é", "e\u0301", "\u0301", "\u0338", "ß", "İ", "ς",
    "Σ", "\u00a0", "\u2028", "\u200b", "\u200d", "\u00ad", "\ufeff", "\ufe0f", "’", "‘", "“", "—", "…", "ﬁ", "½", "²",
    "中文", "ไทย", "नमस्ते", "می\u200cخواهم", "👩\u200d👩\u200d👧", "❤\ufe0f", "1\ufe0f\u20e3",
    "🏴\U000e0067\U000e007f", "\u0301 ", "\ufffd",
]  # fmt: skip
"""What rules look for, and characters that change or join others."""

TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@functools.cache
def tokenizers(config: TextConfig) -> tuple[CorpusTokenizer, Analyzer]:
    analyzer = Analyzer(config)
    is_text = analyzer.tokenizer.symbol_dtype == "string"
    return CorpusTokenizer(config, analyzer.tokenize, symbols_are_text=is_text), analyzer


def check(config: TextConfig, texts: list[str], continued: list[bool]) -> None:
    tokenizer, analyzer = tokenizers(config)
    numbers = tokenizer.numbers()
    encoded = [text.encode() for text in texts]
    found, expected = tokenizer.tokenize(encoded, continued, numbers), analyzer.tokenize(encoded, continued)
    symbols = numbers.symbols().to_pylist()
    assert found.texts() == expected.cleaned.tolist()
    assert found.characters.tolist() == expected.characters.tolist()
    assert found.lengths.tolist() == expected.lengths.tolist()
    assert [symbols[number] for number in found.numbers] == expected.symbols[expected.indices].tolist()


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_tokens_are_those_of_the_graph(config: TextConfig, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.tuples(TEXTS, st.booleans()), max_size=6))
    # A further chunk of a document starts with white space.
    continued = [i > 0 and is_continued for i, (_, is_continued) in enumerate(texts)]
    white = data.draw(st.sampled_from([" ", "\n", "\u00a0", "\u2003 "]))
    check(config, [white * more + text for (text, _), more in zip(texts, continued, strict=True)], continued)


def test_texts_of_all_kinds_keep_their_order() -> None:
    kinds = ["plain text", "café à la carte", "\x1b[1mbold\x1b[0m text", "中文字符" * 20, "", "Ω" * 2000]
    texts = [kinds[i * i % len(kinds)] + f" {i}" for i in range(60)]
    for config in CONFIGS[:4]:
        check(config, texts, [False] * len(texts))


def test_numbers_go_on_from_batch_to_batch() -> None:
    tokenizer, _ = tokenizers(TextConfig())
    numbers = tokenizer.numbers()
    first = tokenizer.tokenize([b"the sea, the"], [False], numbers)
    second = tokenizer.tokenize(["the été sea".encode()], [False], numbers)
    assert first.numbers.tolist() == [0, 1, 2, 0]
    assert second.numbers.tolist() == [0, 3, 1]
    assert numbers.symbols().to_pylist() == [b"the", b"sea", b",", "été".encode()]


@pytest.mark.parametrize(
    ("compiled", "expected"), [(True, ["ไทย,"]), (False, ["A ไทย, a ไทย, and café"] * 6)], ids=["loops", "graph"]
)
def test_the_graph_cuts_a_chunk_once_or_all_texts(compiled: bool, expected: list[str]) -> None:
    analyzer, met = Analyzer(TextConfig()), []

    def graph(texts: list[bytes], continued: list[bool]) -> GraphTokens:
        met.extend(texts)
        return analyzer.tokenize(texts, continued)

    tokenizer = CorpusTokenizer(TextConfig(), graph, symbols_are_text=True, compiled=compiled)
    for _ in range(2):
        tokenizer.tokenize(["A ไทย, a ไทย, and café".encode()] * 3, [False] * 3, tokenizer.numbers())
    assert [text.decode() for text in met] == expected
