import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.batching import Origin, batches, merge_batches
from textgen.corpus.chunking import split_into_chunks
from textgen.corpus.encodings import valid_utf8
from textgen.corpus.readers.base import (
    CHUNK_BYTES,
    InputFile,
    Label,
    Labelled,
    ReadLimits,
    ReadOptions,
    Rejected,
    TextBatch,
)
from textgen.errors import UserError

FILE = InputFile("a.txt", 9, 0.0, "lines")
UTF8 = Origin(FILE, "utf-8", ReadOptions())
DROP = Origin(FILE, "utf-8", ReadOptions(on_invalid="drop"))
FAIL = Origin(FILE, "utf-8", ReadOptions(on_invalid="fail"))
REPLACEMENT = "\ufffd".encode()


def limited(**limits):
    return Origin(FILE, "utf-8", ReadOptions(limits=ReadLimits(**limits)))


def made(*found, origin=UTF8):
    return list(batches(found, origin))


def test_texts_make_a_batch_in_their_order():
    assert made(b"a", b"", b"b") == [TextBatch([b"a", b"", b"b"], [False] * 3)]


def test_nothing_found_gives_no_batch():
    assert made() == []


def test_a_short_document_in_blocks_is_a_text_like_others():
    assert made(b"a", iter([b"b", b"c"]), iter([b"d"])) == made(b"a", b"bc", b"d")


def test_a_rejected_item_is_in_the_batch_of_the_texts_around_it():
    rejected = Rejected("malformed row", b"x")
    assert made(b"a", rejected, b"b") == [TextBatch([b"a", b"b"], [False] * 2, rejected=[rejected])]
    assert made(rejected) == [TextBatch(rejected=[rejected])]


def test_a_rejected_item_is_shortened():
    (batch,) = made(Rejected("malformed row", b"x" * (CHUNK_BYTES + 1)))
    assert batch.rejected == [Rejected("malformed row", b"x" * CHUNK_BYTES)]


def test_a_batch_is_closed_at_its_number_of_texts():
    rejected = Rejected("empty", b"")
    most = ReadLimits().batch_texts
    sizes = [(len(batch.texts), len(batch.rejected)) for batch in made(*[b"a", rejected] * most)]
    assert sizes == [(most // 2, most // 2)] * 2


def test_a_batch_is_closed_at_its_bytes():
    origin = limited(batch_bytes=4)
    assert [batch.texts for batch in made(b"abc", b"d", b"efghij", b"", b"k", origin=origin)] == [
        [b"abc", b"d"],
        [b"efghij"],
        [b"", b"k"],
    ]
    assert len(made(Rejected("malformed row", b"abcd"), b"a", origin=origin)) == 2


def test_invalid_bytes_are_replaced_and_their_documents_counted():
    assert made(b"a", b"\xff", b"", b"b\xff\xff") == [
        TextBatch([b"a", REPLACEMENT, b"", b"b" + 2 * REPLACEMENT], [False] * 4, replaced=2)
    ]


def test_characters_are_counted_with_the_replaced_ones_among_them():
    long = b"\xffword " * (CHUNK_BYTES // 3)
    batches = made(b"caf\xc3\xa9", b"b\xff\xff", long, b"ok", b"")
    assert [(batch.characters, batch.replaced_characters) for batch in (batches[0], batches[-1])] == [(7, 2), (2, 0)]
    assert sum(batch.characters for batch in batches) == 9 + len(long)
    assert sum(batch.replaced_characters for batch in batches) == 2 + CHUNK_BYTES // 3


def test_invalid_documents_are_rejected_with_on_invalid_drop():
    assert made(b"a", b"\xff", b"b\xe2\x80", origin=DROP) == [
        TextBatch([b"a"], [False], rejected=[Rejected("invalid encoding", raw) for raw in (b"\xff", b"b\xe2\x80")])
    ]


def test_an_invalid_document_is_an_error_if_it_is_to_be_one():
    assert made(b"a", origin=FAIL) == made(b"a")
    with pytest.raises(
        UserError, match=r"a\.txt has text that is not valid utf-8, at 'caf\ufffd au lait'.*--encoding"
    ):
        made(b"a", b"caf\xe9 au lait", origin=FAIL)


def test_the_error_shows_where_in_a_document_it_is():
    with pytest.raises(UserError, match=r"at 'x{40}\ufffdy{19}'"):
        made(b"x" * 100 + b"\xff" + b"y" * 100, origin=FAIL)


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-1"])
def test_texts_in_other_encodings_become_utf8(encoding):
    assert made(b"caf\xe9", origin=Origin(FILE, encoding, ReadOptions())) == [TextBatch(["café".encode()], [False])]


def test_what_another_encoding_does_not_allow_is_invalid_too():
    (batch,) = made(b"a\x81b", origin=Origin(FILE, "cp1252", ReadOptions(on_invalid="drop")))
    assert batch.rejected == [Rejected("invalid encoding", b"a\x81b")]


def test_the_chunks_of_a_long_document_come_between_the_batches_of_others():
    long = b"word " * (CHUNK_BYTES // 2)
    batches = made(b"a", long, b"b")
    assert [len(batch.texts) for batch in batches] == [1, 1, 1, 1, 1]
    assert [batch.continued[0] for batch in batches] == [False, False, True, True, False]
    assert b"".join(batch.texts[0] for batch in batches) == b"a" + long + b"b"
    assert all(len(batch.texts[0]) <= CHUNK_BYTES for batch in batches)
    assert [batch.texts for batch in made(iter([long[:7], long[7:]]))] == [batch.texts for batch in batches[1:-1]]


LONG_INVALID = b"\xffword " * (CHUNK_BYTES // 3)


def test_a_long_document_is_with_replacements_is_counted_once():
    batches = made(LONG_INVALID)
    assert len(batches) > 1
    assert sum(batch.replaced for batch in batches) == 1
    assert b"".join(batch.texts[0] for batch in batches) == LONG_INVALID.replace(b"\xff", REPLACEMENT)


def test_an_invalid_long_document_that_is_dropped_gives_no_chunk():
    long = b"word " * (CHUNK_BYTES // 2)
    batches = made(b"a", iter([long, long, b"\xff"]), b"b", origin=DROP)
    assert [batch.texts for batch in batches] == [[b"a"], [], [b"b"]]
    assert batches[1].rejected == [Rejected("invalid encoding", long[:CHUNK_BYTES])]
    assert made(long, origin=DROP) == made(long)


def test_a_long_document_is_an_error_where_it_is_invalid():
    with pytest.raises(UserError, match="not valid utf-8"):
        made(LONG_INVALID, origin=FAIL)


def test_only_as_much_of_a_long_document_is_held_as_is_given_at_a_time():
    taken = 0

    def blocks():
        nonlocal taken
        for _ in range(64):
            taken += 1
            yield b"word " * (CHUNK_BYTES // 20)

    first = next(iter(batches([blocks()], UTF8)))
    assert len(first.texts[0]) <= CHUNK_BYTES
    assert taken < 12


fragments = st.sampled_from([b"word", b"a ", b"\n", "é".encode(), "\u3042".encode(), b"\xe9", b"\xe2\x80"])
texts = st.lists(fragments, max_size=30).map(b"".join)


@given(
    st.lists(texts, max_size=5),
    st.integers(1, 9),
    st.integers(8, 24),
    st.sampled_from(["replace", "drop"]),
    st.sampled_from(["utf-8", "iso8859-1", "shift_jis"]),
)
@settings(max_examples=150, deadline=None)
def test_whole_documents_and_documents_in_blocks_give_the_same_batches(
    documents, block_bytes, chunk_bytes, on_invalid, encoding
):
    limits = ReadLimits(chunk_bytes=chunk_bytes, block_bytes=7)
    origin = Origin(FILE, encoding, ReadOptions(None, on_invalid, limits))
    in_blocks = [[text[i : i + block_bytes] for i in range(0, len(text), block_bytes)] for text in documents]
    made = list(batches(map(iter, in_blocks), origin))
    assert made == list(batches(documents, origin))
    expected, replaced, rejected = [], 0, []
    for raw in documents:
        text = raw.decode(encoding, "replace")
        if "\ufffd" in text and on_invalid == "drop":
            rejected.append(raw[:chunk_bytes])
        else:
            replaced += "\ufffd" in text
            expected += list(split_into_chunks([text.encode()], chunk_bytes=chunk_bytes)) or [b""]
    assert [text for batch in made for text in batch.texts] == expected
    assert sum(batch.replaced for batch in made) == replaced
    assert [item.content for batch in made for item in batch.rejected] == rejected


@given(st.lists(st.binary(max_size=8)), st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_batches_hold_every_text_once_in_order(raw_texts, max_texts, max_bytes):
    made = list(batches(raw_texts, limited(batch_texts=max_texts, batch_bytes=max_bytes)))
    assert [text for batch in made for text in batch.texts] == [valid_utf8(raw).text for raw in raw_texts]
    assert all(0 < len(batch.texts) <= max_texts for batch in made)


TRAIN, TEST = Label("train", b"ann"), Label("test")


def test_labels_stay_with_their_texts():
    rejected = Rejected("empty", b"")
    found = Labelled(b"a", TRAIN), rejected, Labelled(iter([b"b", b"c"]), TEST), Labelled(b"\xff", TRAIN)
    assert made(*found[:3]) == [TextBatch([b"a", b"bc"], [False] * 2, rejected=[rejected], labels=[TRAIN, TEST])]
    found = Labelled(b"a", TRAIN), Labelled(b"\xff", TRAIN), Labelled(b"b", TEST)
    (batch,) = made(*found, origin=DROP)
    assert (batch.texts, batch.labels) == ([b"a", b"b"], [TRAIN, TEST])


def test_every_chunk_of_a_long_document_has_its_label():
    long = b"word " * (CHUNK_BYTES // 2)
    batches = made(Labelled(b"a", TRAIN), Labelled(iter([long, long]), TEST), Labelled(long, TRAIN))
    labels = [label for batch in batches for label in batch.labels]
    assert labels == [TRAIN, *[TEST] * 6, *[TRAIN] * 3]
    (merged,) = merge_batches(batches, ReadLimits(batch_bytes=1 << 30))
    assert merged.labels == labels
    assert [len(made(Labelled(text, TRAIN), origin=DROP)) for text in (long, b"\xff" + long)] == [3, 1]


def test_small_batches_are_merged_up_to_the_limits():
    limits = ReadLimits(batch_texts=3, batch_bytes=6)
    small = [TextBatch([b"a"], [False]), TextBatch(), TextBatch([b"b", b"c"], [True, False])]
    assert list(merge_batches(small, limits)) == [TextBatch([b"a", b"b", b"c"], [False, True, False])]
    assert [merged.texts for merged in merge_batches([*small, *small], limits)] == [[b"a", b"b", b"c"]] * 2
    single = [TextBatch([text], [False]) for text in (b"abcd", b"ef", b"g")]
    assert [merged.texts for merged in merge_batches(single, limits)] == [[b"abcd", b"ef"], [b"g"]]
    assert list(merge_batches([TextBatch()], limits)) == []
