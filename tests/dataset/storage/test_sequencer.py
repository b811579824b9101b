import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.dataset.storage import windows
from textgen.dataset.storage.sequencer import DocumentChunks, Sequencer
from textgen.dataset.storage.splits import DIGEST_BYTES, SplitRanges, split_ranges

NO_ONE = np.zeros((1, DIGEST_BYTES), np.uint8)
# A document is its tokens, each of which is the ids that it gives.
documents = st.lists(
    st.lists(st.lists(st.integers(1, 90), max_size=3).filter(lambda ids: 2 not in ids and 3 not in ids), max_size=25),
    max_size=5,
)


def batches(each, cuts, made):
    """The documents' tokens as batches of stretches, cut at the places `cuts` of all tokens on end."""
    owner = [d for d, document in enumerate(each) for _ in document]
    within = [i for document in each for i in range(len(document))]
    tokens = [ids for document in each for ids in document]
    edges = [0, *sorted(cut for cut in cuts if cut < len(tokens)), len(tokens)]
    totals = np.array([len(document) for document in each], int)
    for start, end in zip(edges, edges[1:], strict=False):
        if start == end:
            continue
        here = sorted(set(owner[start:end]))
        counts = [owner[start:end].count(d) for d in here]
        places = start + np.cumsum([0, *counts])[:-1]
        yield DocumentChunks(
            ids=np.array([*sum(tokens[start:end], []), 2, 3], int),
            edges=np.cumsum([0, *counts]),
            id_edges=np.cumsum([0, *map(len, tokens[start:end])]),
            offsets=np.array([within[place] for place in places]),
            totals=totals[here],
            characters=10 * totals[here] + 1,
            split_ranges=SplitRanges(made.starts[:, here], made.ends[:, here]),
        )


def pairs_of(sequencer, stretches, *, window, stride):
    made = []
    for some in stretches:
        sequences = sequencer.sequences(some)
        found = windows.targets(sequences, window=window, stride=stride)
        x, y = windows.Windows(sequences.ids, window=window).pairs(found)
        made += list(zip(x.tolist(), y.tolist(), strict=True))
    return made


@given(
    documents,
    st.sets(st.integers(0, 80), max_size=8),
    st.integers(1, 6),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from(["document", "tail"]),
)
@settings(max_examples=300, deadline=None)
def test_pairs_are_those_of_whole_documents_however_the_batches_fall(
    naive_pairs, each, cuts, window, stride, boundaries, split_by
):
    config = PrepareConfig(text=TextConfig(), split_by=split_by, validation_percent=20, test_percent=20)
    each = [document for document in each if document]
    digests = np.frombuffer(bytes(range(16)) * len(each), np.uint8).reshape(-1, DIGEST_BYTES).copy()
    digests[:, 0] = np.arange(len(each)) * 40
    made = split_ranges(digests, np.array([len(document) for document in each], int), config)
    for s, split in enumerate(SPLITS):
        sequencer = Sequencer(split, boundaries=boundaries, stride=stride, context=window)
        expected, tokens, count = [], 0, 0
        for d, document in enumerate(each):
            start, end = int(made.starts[s, d]), int(made.ends[s, d])
            if start < end:
                ids = sum(document[start:end], [])
                tokens, count = tokens + len(ids), count + 1
                bos, eos = [2] * (boundaries and start == 0), [3] * (boundaries and end == len(document))
                expected += naive_pairs([*bos, *ids, *eos], window=window, stride=stride)
        assert pairs_of(sequencer, batches(each, cuts, made), window=window, stride=stride) == expected
        assert (sequencer.counts.documents, sequencer.counts.tokens) == (count, tokens)


def one_document(lengths, offset, total, split_by="document"):
    config = PrepareConfig(text=TextConfig(), split_by=split_by, validation_percent=20, test_percent=20)
    held = split_ranges(NO_ONE, np.array([total]), config)
    count = lengths[0]
    return DocumentChunks(
        ids=np.array([1, *range(5, 4 + count), 2, 3]),
        edges=np.array([0, count]),
        id_edges=None,
        offsets=np.array([offset]),
        totals=np.array([total]),
        characters=np.array([7]),
        split_ranges=held,
    )


@pytest.mark.parametrize(("split", "characters", "unknown"), [("train", 4, 1), ("validation", 1, 0), ("test", 2, 0)])
def test_characters_are_shared_out_by_tokens_and_unknown_tokens_counted(split, characters, unknown):
    sequencer = Sequencer(split, boundaries=True, stride=1, context=3)
    sequencer.sequences(one_document([5], 0, 5, "tail"))
    assert (sequencer.counts.characters, sequencer.counts.unknown) == (characters, unknown)


def test_a_split_without_tokens_in_a_batch_gets_no_sequence():
    sequencer = Sequencer("test", boundaries=True, stride=1, context=3)
    made = sequencer.sequences(one_document([5], 0, 5))
    assert len(made.starts) == len(made.firsts) == len(made.ends) == 0
