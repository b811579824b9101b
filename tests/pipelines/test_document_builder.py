import numpy as np
import pytest

from pipelines.document_builder import DocumentTableBuilder
from textgen.config import SelectionConfig, TextConfig
from textgen.corpus.readers.base import Label
from textgen.dataset.storage.splits import new_digest
from textgen.text.compiled.corpus_tokenizer import CorpusTokenizer, Tokens
from textgen.text.filters import make_filters
from textgen.text.preprocessor import Analyzer


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(TextConfig(), filters=make_filters(SelectionConfig(min_tokens=2)))


def tokens(analyzer: Analyzer, texts: list[bytes], continued: list[bool]) -> Tokens:
    tokenizer = CorpusTokenizer(analyzer.config, analyzer.tokenize, symbols_are_text=True)
    return tokenizer.tokenize(texts, continued, tokenizer.numbers())


def test_chunks_are_joined_across_batches(analyzer: Analyzer) -> None:
    builder = DocumentTableBuilder(analyzer, with_signatures=False)
    for texts, continued in (
        ([b"a b", b" ", b"the"], [False] * 3),
        ([b" sea"], [True]),
        ([b" c", b"d"], [True, False]),
    ):
        builder.add(tokens(analyzer, texts, continued), continued)
    documents = builder.build()
    assert documents.tokens.tolist() == [2, 0, 3, 1]
    assert documents.characters.tolist() == [3, 0, 9, 1]
    assert documents.reasons.tolist() == ["", "empty", "", "too short"]
    assert documents.digests[2].tobytes() == new_digest(b"the sea c").digest()
    assert documents.signatures.shape == (4, 0)


def test_a_signature_is_the_minimum_over_the_chunks(analyzer: Analyzer) -> None:
    texts = [b"call me ishmael", b" some years ago"]
    tables = []
    for continued in ([False, False], [False, True]):
        builder = DocumentTableBuilder(analyzer, with_signatures=True)
        builder.add(tokens(analyzer, texts, continued), continued)
        tables.append(builder.build())
    whole = DocumentTableBuilder(analyzer, with_signatures=True)
    for text, continued in zip(texts, (False, True), strict=True):
        whole.add(tokens(analyzer, [text], [continued]), [continued])
    np.testing.assert_array_equal(tables[1].signatures, whole.build().signatures)
    assert (len(tables[0].signatures), len(tables[1].signatures)) == (2, 1)


def test_labels_give_splits_and_groups_to_whole_documents(analyzer: Analyzer) -> None:
    ann, test = Label("train", b"ann"), Label("test")
    builder = DocumentTableBuilder(analyzer, with_signatures=False)
    for texts, continued, labels in (
        ([b"a b", b"c"], [False] * 2, [ann, test]),
        ([b" d", b"e"], [True, False], [test, ann]),
    ):
        builder.add(tokens(analyzer, texts, continued), continued, labels)
    documents = builder.build()
    assert documents.splits is not None and documents.groups is not None
    assert documents.splits.tolist() == [0, 2, 0]
    assert documents.groups.tobytes() == b"".join(
        digest.digest() for digest in (new_digest(b"ann"), new_digest(b"c d"), new_digest(b"ann"))
    )


def test_the_split_of_the_files_is_that_of_all_documents(analyzer: Analyzer) -> None:
    builder = DocumentTableBuilder(analyzer, with_signatures=False, split="validation")
    builder.add(tokens(analyzer, [b"a", b"b"], [False] * 2), [False] * 2, [Label(None, b"ann"), Label(None, None)])
    documents = builder.build()
    assert documents.splits is not None and documents.splits.tolist() == [1, 1]


def test_a_unit_without_documents_has_an_empty_table(analyzer: Analyzer) -> None:
    documents = DocumentTableBuilder(analyzer, with_signatures=True).build()
    assert [len(column) for column in documents if column is not None] == [0] * 5
