from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import document_files, duplicates, runners
from pipelines.document_files import DocumentTable
from pipelines.duplicates import EXACT, NEAR, FindDuplicates, KeepFirst
from pipelines.prepare import prepare
from pipelines.workspace import DUPLICATES, OVERLAP, TOKENS, Workspace
from textgen.config import PrepareConfig, SelectionConfig, TextConfig
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit
from textgen.dataset import read_pairs, verify
from textgen.dataset.storage.splits import new_digest
from textgen.text import minhash

Texts = Sequence[Sequence[str]]
Found = dict[int, dict[str, list[int]]]


BY_HASH = PrepareConfig(text=TextConfig())


def workspace(
    folder: Path,
    units: Texts,
    *,
    splits: Sequence[int] | None = None,
    dropped: dict[tuple[int, int], str] | None = None,
) -> Workspace:
    """Creates a workspace; `dropped` gives reasons by (unit, index), and `splits` the split of each unit."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Workspace(str(folder))
    for stage in (TOKENS, DUPLICATES, OVERLAP):
        Path(made.work_path(stage)).mkdir(parents=True)
    for unit, texts in enumerate(units):
        lengths = np.array([len(text) for text in texts], np.int64)
        documents = DocumentTable(
            np.frombuffer(b"".join(new_digest(text.encode()).digest() for text in texts), np.uint8).reshape(-1, 16),
            lengths,
            lengths,
            np.array([(dropped or {}).get((unit, index), "") for index in range(len(texts))], object),
            minhash.signatures(tf.constant(texts, tf.string)) if texts else np.empty((0, 0)),
            np.full(len(texts), splits[unit], np.int8) if splits else None,
        )
        document_files.write_documents(Path(made.unit_path(TOKENS, unit, "documents")), documents)
    return made


def search(
    made: Workspace,
    count: int,
    *,
    near: float,
    runner: beam.runners.PipelineRunner | None = None,
    buckets: int = duplicates.BUCKETS,
    config: PrepareConfig = BY_HASH,
) -> None:
    units = [Unit(i, (FileRange(InputFile("", 0, 0.0, "document"), 0, 0),)) for i in range(count)]
    with beam.Pipeline(runner=runner or runners.FnApiRunner()) as pipeline:
        _ = pipeline | FindDuplicates(units, config, made, near=near, buckets=buckets)


def recorded(made: Workspace, count: int) -> Found:
    records = {unit: made.recorded(DUPLICATES, unit) for unit in range(count)}
    return {unit: record for unit, record in records.items() if record is not None}


def find(folder: Path, units: Texts, *, near: float = 0.0, **settings: dict) -> Found:
    made = workspace(folder, units, **settings)
    search(made, len(units), near=near)
    return recorded(made, len(units))


def repeated(units: Texts) -> Found:
    """Returns the indices of the texts that occur earlier in the corpus, by unit."""
    seen: set[str] = set()
    found: Found = {}
    for unit, texts in enumerate(units):
        for index, text in enumerate(texts):
            if text in seen:
                found.setdefault(unit, {EXACT: []})[EXACT].append(index)
            seen.add(text)
    return found


def prose(number: int, words: int = 200) -> list[str]:
    """Returns words that no other number has."""
    return [f"w{number}.{i}" for i in range(words)]


def edited(words: list[str], *indices: int) -> str:
    """Returns the text with the words at these indices replaced."""
    return " ".join(f"other{word}" if i in indices else word for i, word in enumerate(words))


def test_the_first_of_equal_texts_is_kept(tmp_path: Path) -> None:
    units = [["a", "b"], ["c", "a", "c", "a"], [], ["b", "d"]]
    assert find(tmp_path, units) == {1: {EXACT: [1, 2, 3]}, 3: {EXACT: [0]}}


def test_a_held_out_document_is_kept_before_one_of_training(tmp_path: Path) -> None:
    config = PrepareConfig(text=TextConfig(), given_splits="validation,test")
    words = prose(1)
    texts = [["a", "b", "c", "a"], ["a", "b", "d"], ["a", "a", "d"]]
    near = [[" ".join(words)], [edited(words, 7)], [edited(words, 90)]]
    for name, units, similarity, reason, expected in (
        ("exact", texts, 0.0, EXACT, {0: [0, 1, 3], 1: [0, 2], 2: [1]}),
        ("near", near, 0.8, NEAR, {0: [0], 1: [0]}),
    ):
        made = workspace(tmp_path / name, units, splits=(0, 1, 2))
        search(made, 3, near=similarity, config=config)
        assert recorded(made, 3) == {unit: {reason: indices} for unit, indices in expected.items()}


def test_a_corpus_without_duplicates_leaves_no_record(tmp_path: Path) -> None:
    assert find(tmp_path / "exact", [["a"], ["b", "c"], []]) == {}
    assert find(tmp_path / "near", [["a"], ["b", "c"], []], near=0.8) == {}
    assert find(tmp_path / "none", [[], []], near=0.8) == {}


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), min_size=1, max_size=4))
@settings(max_examples=10, deadline=None)
def test_exact_duplicates_are_those_that_a_loop_over_the_corpus_finds(
    tmp_path_factory: pytest.TempPathFactory, units: list[list[str]]
) -> None:
    assert find(tmp_path_factory.mktemp("work"), units) == repeated(units)


def test_exact_duplicates_of_a_large_corpus_are_those_that_a_loop_finds(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(0, 3000, (5, 1000))
    units = [[str(number) for number in row] for row in numbers]
    assert find(tmp_path, units) == repeated(units)


def test_texts_that_differ_in_a_few_words_are_near_duplicates(tmp_path: Path) -> None:
    one, other = prose(1), prose(2)
    units = [[" ".join(one), " ".join(other)], [edited(one, 100), edited(other, *range(0, 200, 6))], [edited(one, 7)]]
    # Two words of 200 are in 10 shingles of 196; a word in six leaves almost none.
    assert find(tmp_path, units, near=0.8) == {1: {NEAR: [0]}, 2: {NEAR: [0]}}


def test_near_duplicates_have_at_least_the_given_similarity(tmp_path: Path) -> None:
    words = prose(2)
    # 20 of 196 shingles differ: 176 of 216 are common, 0.81.
    units = [[" ".join(words)], [edited(words, 30, 70, 110, 150)]]
    assert find(tmp_path / "0.7", units, near=0.7) == {1: {NEAR: [0]}}
    assert find(tmp_path / "0.95", units, near=0.95) == {}


def test_only_the_first_of_a_chain_of_near_duplicates_is_kept(tmp_path: Path) -> None:
    words = prose(1)
    # Each is similar to the one before it; the last is not similar to the first.
    chain = [edited(words, *range(2, 5 * i, 5)) for i in range(0, 13, 2)]
    (far,) = minhash.similarity(*minhash.sketches(minhash.signatures(tf.constant([chain[0], chain[-1]])))[:, None])
    assert far < 0.6
    in_order = find(tmp_path / "order", [[text] for text in chain], near=0.8)
    assert in_order == {i: {NEAR: [0]} for i in range(1, 7)}
    # The first of the corpus is kept, also if it is in the middle of the chain.
    shuffled = [chain[i] for i in (3, 6, 0, 5, 1, 4, 2)]
    assert find(tmp_path / "shuffled", [shuffled], near=0.8) == {0: {NEAR: [1, 2, 3, 4, 5, 6]}}


def test_dropped_documents_are_not_compared(tmp_path: Path) -> None:
    text = " ".join(prose(1))
    dropped = {(0, 0): "too short", (1, 1): "empty"}
    units = [[text], [text, text], [text]]
    assert find(tmp_path / "exact", units, dropped=dropped) == {2: {EXACT: [0]}}
    assert find(tmp_path / "near", units, dropped=dropped, near=0.8) == {2: {NEAR: [0]}}


def test_exact_duplicates_are_not_counted_as_near_duplicates(tmp_path: Path) -> None:
    words = prose(1)
    text, near = " ".join(words), edited(words, 50)
    made = workspace(tmp_path, [[text, text], [near, near, "else"]])
    for similarity in (0.0, 0.8):
        search(made, 2, near=similarity)
    assert recorded(made, 2) == {0: {EXACT: [1]}, 1: {EXACT: [1], NEAR: [0]}}
    assert [document_files.unit_documents(made, unit).reasons.tolist() for unit in (0, 1)] == [
        ["", EXACT],
        [NEAR, EXACT, ""],
    ]


def test_a_repeated_search_keeps_the_records(tmp_path: Path) -> None:
    made = workspace(tmp_path, [["a", "a"], ["a", "b"]])
    search(made, 2, near=0.0)
    before = recorded(made, 2)
    # The duplicates are dropped now, so the second search finds none.
    search(made, 2, near=0.0)
    assert recorded(made, 2) == before == {0: {EXACT: [1]}, 1: {EXACT: [0]}}


@pytest.mark.parametrize("near", [0.0, 0.8])
def test_the_result_does_not_depend_on_buckets_and_workers(tmp_path: Path, near: float) -> None:
    random = np.random.default_rng(1)
    texts = [" ".join(prose(number, 60)) for number in range(12)]
    texts += [edited(prose(number, 60), int(random.integers(60))) for number in random.integers(0, 12, 60)]
    units = [random.choice(texts, 30).tolist() for _ in range(6)]
    found = []
    for buckets, flags in ((64, []), (1, []), (7, ["--direct_num_workers=2"])):
        made = workspace(tmp_path / str(buckets), units)
        engine = runners.start(flags, input_bytes=0)
        search(made, 6, near=near, runner=engine.pipeline.runner, buckets=buckets)
        found.append(recorded(made, 6))
    assert found[0] == found[1] == found[2]
    assert found[0] == repeated(units) if not near else sum(len(record[NEAR]) for record in found[0].values()) > 150


@given(st.lists(st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2), max_size=12), st.randoms())
@settings(max_examples=60, deadline=None)
def test_all_but_the_first_of_each_group_are_dropped_in_any_order_of_matches(matches: list, random) -> None:  # noqa: ANN001
    groups = {position: {position} for pair in matches for position in pair}
    for one, other in matches:
        union = groups[one] | groups[other]
        groups.update(dict.fromkeys(union, union))
    expected = sorted({position for position, group in groups.items() if position != min(group)})
    random.shuffle(matches)
    ranked = [((0, *one), (0, *other)) for one, other in matches]
    halves = [ranked[::2], [(other, one) for one, other in ranked[1::2]]]
    assert sorted(KeepFirst().process((None, halves))) == expected


@pytest.mark.parametrize(
    ("selection", "expected"), [({}, False), ({"duplicates": "drop"}, True), ({"near_duplicates": 0.5}, True)]
)
def test_duplicates_are_searched_if_either_setting_asks_for_it(selection: dict, expected: bool) -> None:
    assert duplicates.wanted(SelectionConfig(**selection)) is expected


def write_corpus(folder: Path) -> dict[str, str]:
    """Writes ten texts, two exact duplicates, two near duplicates and a blank text; returns the texts by name."""
    texts = {f"{i}": edited(prose(i, 60)) for i in range(10)}
    texts |= {
        "a-2": texts["2"].upper(),
        "a-3": f" {texts['3']}\n",
        "b-2": edited(prose(2, 60), 5),
        "b-4": edited(prose(4, 60), 9),
    }
    texts["c"] = " \n"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return texts


@pytest.mark.parametrize("near", [0.0, 0.8])
def test_a_preparation_drops_duplicates_and_counts_each_document_once(tmp_path: Path, near: float) -> None:
    write_corpus(tmp_path / "corpus")
    selection = SelectionConfig(duplicates="drop", near_duplicates=near)
    text = TextConfig(punctuation="keep", vocabulary_size=5000)
    config = PrepareConfig(
        text=text, selection=selection, window=3, validation_percent=0, test_percent=0, keep_dropped=True
    )
    manifest = prepare([str(tmp_path / "corpus")], str(tmp_path / "data"), config)
    total = manifest.total
    assert total.dropped == {"exact duplicate": 2, "empty": 1, **({"near duplicate": 2} if near else {})}
    assert total.documents == total.kept + sum(total.dropped.values()) == 15
    assert total.splits["train"].documents == total.kept
    kept_words = 60 * (10 if near else 12)
    assert total.splits["train"].tokens == kept_words
    assert sum(len(y) for _, y in read_pairs(tmp_path / "data", batch_size=64)) == kept_words + total.kept
    assert verify(tmp_path / "data") == []
    # The vocabulary counts the words of kept documents only.
    counts = [line.rsplit(", ", 1)[1] for line in (tmp_path / "data" / "vocabulary.jsonl").read_text().splitlines()]
    assert sum(int(count.rstrip("]")) for count in counts) == kept_words
    lines = "".join(path.read_text() for path in (tmp_path / "data").glob("dropped-*.jsonl"))
    assert lines.count('"exact duplicate"') == 2 and lines.count('"near duplicate"') == (2 if near else 0)


def test_a_search_for_near_duplicates_drops_exact_ones_too(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus")
    config = PrepareConfig(
        text=TextConfig(),
        selection=SelectionConfig(near_duplicates=0.8),
        window=3,
        validation_percent=0,
        test_percent=0,
    )
    manifest = prepare([str(tmp_path / "corpus")], str(tmp_path / "data"), config)
    assert manifest.total.dropped == {"exact duplicate": 2, "near duplicate": 2, "empty": 1}
