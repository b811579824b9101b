import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from pipelines import inputs
from pipelines.plan import Plan, make_plan
from pipelines.prepare import prepare
from pipelines.recorded_plan import parse_plan
from textgen.config import TEXT_DEFAULTS, PrepareConfig, TextConfig
from textgen.corpus.readers.base import InputFile, Member, ReadOptions
from textgen.dataset import read_pairs, verify
from textgen.errors import UserError
from textgen.text import preprocessor, vocabulary
from textgen.text.vocabulary import Vocabulary

MODEL = Path(__file__).parents[1] / "data" / "pieces.model"
FILE = InputFile("a.txt", 3, 1.0, "document")


def config(tokenizer: str = "word", **settings: object) -> PrepareConfig:
    text = TextConfig(tokenizer=tokenizer, **TEXT_DEFAULTS[tokenizer])
    return PrepareConfig(**{"text": text, "window": 3, "validation_percent": 0, "test_percent": 0, **settings})


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("The whale! The white whale")
    (tmp_path / "corpus" / "b.txt").write_text("Call me Ishmael")
    return str(tmp_path / "corpus")


def test_a_plan_has_its_files_in_the_order_of_their_paths(corpus: str) -> None:
    made = make_plan([f"{corpus}/b.txt", corpus], config())
    assert [(Path(file.path).name, file.size, file.format) for file in made.files] == [
        ("a.txt", 26, "document"),
        ("b.txt", 15, "document"),
    ]
    assert (made.vocabulary, made.tokenizer_model, made.config) == (None, b"", config())


def test_the_inputs_are_a_line_a_file() -> None:
    member = Member("c.tgz", ("gzip",), 9, 512, 4, "", -1, 4)
    settings = config(given_splits="test")
    files = (
        dataclasses.replace(FILE, split="train"),
        InputFile("c.tgz/é\n.csv", 4, 2.5, "csv", ("gzip",), "cp1252", "test", member),
    )
    made = Plan(settings, files)
    assert [json.loads(line) for line in made.inputs().decode().splitlines()] == [
        {
            "path": "a.txt",
            "size": 3,
            "modified": 1.0,
            "format": "document",
            "compression": [],
            "encoding": "utf-8",
            "split": "train",
            "member": None,
        },
        {
            "path": "c.tgz/é\n.csv",
            "size": 4,
            "modified": 2.5,
            "format": "csv",
            "compression": ["gzip"],
            "encoding": "cp1252",
            "split": "test",
            "member": ["c.tgz", ["gzip"], 9, 512, 4, "", -1, 4],
        },
    ]
    assert parse_plan(made.inputs(), settings) == parse_plan(made.inputs(), settings, files=2) == made
    assert made.inputs_sha256() == hashlib.sha256(made.inputs()).hexdigest()


def test_the_config_says_how_files_are_read() -> None:
    made = config(text_field="data.text", encoding="latin1", on_invalid="drop")
    assert inputs.read_options(made) == ReadOptions("data.text", "drop")


def changed(name: str, value: object) -> PrepareConfig:
    made = config()
    for part in ("text", "selection", "tables"):
        if name in {field.name for field in dataclasses.fields(getattr(made, part))}:
            return dataclasses.replace(made, **{part: dataclasses.replace(getattr(made, part), **{name: value})})
    return dataclasses.replace(made, **{name: value})


def test_every_setting_changes_the_fingerprint() -> None:
    values = {
        "tokenizer": "char", "tokenizer_model": "ab" * 32, "vocabulary_size": 9, "normalization": "nfc",
        "case": "keep", "whitespace": "keep", "punctuation": "keep", "html": "strip", "urls": "mask",
        "emails": "mask", "mentions": "mask", "numbers": "zero", "redactions": "mask", "max_repeats": 3,
        "unknown": "drop", "unknown_word": "<unk>", "line_ends": "token",
        "min_tokens": 1, "max_tokens": 9, "min_letters_percent": 5.0, "repetition": "drop", "duplicates": "drop",
        "near_duplicates": 0.8, "format": "csv", "text_field": "x", "encoding": "cp1252", "on_invalid": "fail",
        "on_unreadable": "skip",
        "keep_dropped": True, "window": 4, "stride": 2, "boundaries": False, "layout": "spans",
        "given_vocabulary": "ab" * 32, "split_by": "tail", "validation_percent": 1.0, "test_percent": 1.0,
        "split_field": "x", "group_field": "x", "held_out_duplicates": "drop", "given_splits": "test",
        "delimiter": ";", "quoting": "none", "escape": "backslash", "header": "none", "skip_rows": 1,
        "skip_initial_space": True, "join": "space", "max_row_bytes": 9,
        "document_separator": "%", "document_separator_regex": "x", "separator_place": "line",
    }  # fmt: skip
    made = config()
    parts = {name: type(getattr(made, name)) for name in ("text", "selection", "tables")}
    fields = {field.name for part in (PrepareConfig, *parts.values()) for field in dataclasses.fields(part)}
    assert set(values) == fields - set(parts)
    values.pop("tokenizer")
    plans = [Plan(config(), (FILE,)), *(Plan(changed(name, value), (FILE,)) for name, value in values.items())]
    assert len({plan.fingerprint() for plan in plans}) == len(plans)


def test_settings_sizes_and_times_change_the_fingerprint() -> None:
    plans = [
        Plan(config(), (FILE,)),
        Plan(config(window=9), (FILE,)),
        Plan(config(), (InputFile("a.txt", 4, 1.0, "document"),)),
        Plan(config(), (InputFile("a.txt", 3, 2.0, "document"),)),
    ]
    assert len({plan.fingerprint() for plan in plans}) == len(plans)
    assert plans[0].fingerprint() == Plan(config(), (FILE,)).fingerprint()


def test_a_given_vocabulary_and_a_model_tell_plans_apart(corpus: str, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("whale\n")
    (tmp_path / "other.txt").write_text("sea\n")
    plans = [make_plan([corpus], config(), vocabulary=str(tmp_path / name)) for name in ("one.txt", "other.txt")]
    plans += [
        make_plan([corpus], config()),
        make_plan([corpus], config("sentencepiece"), tokenizer_model=str(MODEL)),
    ]
    assert len({plan.fingerprint() for plan in plans}) == 4


@pytest.mark.parametrize(
    ("tokenizer", "files", "options", "message"),
    [
        ("word", {}, {"vocabulary": "v.txt"}, r"there is no file .*v\.txt\. Check the path after --vocabulary\."),
        ("word", {"v.txt": b"\xff"}, {"vocabulary": "v.txt"}, r"v\.txt is not UTF-8 text\. Give the vocab"),
        ("word", {"v.txt": b"\n"}, {"vocabulary": "v.txt"}, r"v\.txt has no tokens\. Write one per line"),
        ("word", {"v.txt": b"a\na\n"}, {"vocabulary": "v.txt"}, r"has the token 'a' more than once; .*Keep one"),
        ("word", {"v.jsonl": b"a\n"}, {"vocabulary": "v.jsonl"}, r"v\.jsonl is not a vocabulary: .*Give the vocab"),
        (
            "word",
            {"v.txt": b"the 9\n"},
            {"vocabulary": "v.txt"},
            r"v\.txt holds \['the 9'\], which is no token of the word tokenizer\. Take it out, or choose another",
        ),
        ("char", {"v.txt": b"a\nthe\n"}, {"vocabulary": "v.txt"}, r"\['the'\], which is no token of the char token"),
        ("byte", {"v.txt": b"a\n\xc3\xa9\n"}, {"vocabulary": "v.txt"}, r"\['é'\], which is no token of the byte"),
        ("wordpiece", {"v.txt": b"a\n \n"}, {"vocabulary": "v.txt"}, r"\[' '\], which is no token of the wordpiece"),
        (
            "sentencepiece",
            {"v.txt": b"whale-ship\n", "t.model": MODEL.read_bytes()},
            {"vocabulary": "v.txt", "tokenizer_model": "t.model"},
            r"\['whale-ship'\], which is no token of the sentencepiece tokenizer",
        ),
        ("word", {}, {"vocabulary": "."}, r"is a folder\. Name a file after --vocabulary\."),
        (
            "word",
            {"t.model": MODEL.read_bytes()},
            {"tokenizer_model": "t.model"},
            r"--tokenizer-model is of sentencepiece and bpe, and the tokenizer is word\. Say --tokenizer sent",
        ),
        ("sentencepiece", {}, {}, r"comes with a model\. Name its file with --tokenizer-model\."),
        ("sentencepiece", {}, {"tokenizer_model": "t"}, r"there is no file .*t\. Check the path after --token"),
        ("sentencepiece", {"t": b""}, {"tokenizer_model": "t"}, r"tokenizer model is damaged, .*Give the \.model"),
        ("sentencepiece", {"t": MODEL.read_bytes()[:99]}, {"tokenizer_model": "t"}, r"tokenizer model is damaged"),
    ],
)  # fmt: skip
def test_an_unusable_vocabulary_or_model_is_an_error_before_any_work(
    corpus: str, tmp_path: Path, tokenizer: str, files: dict[str, bytes], options: dict[str, str], message: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = {option: str(tmp_path / name) for option, name in options.items()}
    with pytest.raises(UserError, match=message):
        prepare([corpus], str(tmp_path / "data"), config(tokenizer), **paths)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "content", "settings", "message"),
    [
        ("a.txt", b"", {}, r"1 found: 0 read, passed over: 1 empty\. Name files that hold text\."),
        (
            "a.txt",
            b"a",
            {"text_field": "x"},
            r"--text-field is 'x', but no input file has columns\. Leave it out",
        ),
        ("a.csv", b"x,y\n1,2\n", {}, r"columns x, y"),
    ],
)
def test_files_that_can_not_be_read_as_asked_are_an_error_before_any_work(
    tmp_path: Path, name: str, content: bytes, settings: dict, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        make_plan([str(tmp_path / name)], config(**settings))


def test_a_path_without_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file matches .*nowhere"):
        make_plan([str(tmp_path / "nowhere")], config())


def targets(folder: Path) -> list[list[int]]:
    """The ids of each document, [EOS] left out."""
    documents: list[list[int]] = [[]]
    for _, y in read_pairs(folder, batch_size=64):
        for number in y.numpy().tolist():
            if number == 3:
                documents.append([])
            else:
                documents[-1].append(number)
    return documents[:-1]


def test_a_given_vocabulary_keeps_its_order_and_gets_the_counts_of_the_corpus(corpus: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("me\nwhale\nsea\nthe\n")
    manifest = prepare([corpus], str(tmp_path / "data"), config(), vocabulary=str(tmp_path / "words.txt"))
    assert vocabulary.load(tmp_path / "data") == Vocabulary(("me", "whale", "sea", "the"), (1, 2, 0, 2))
    assert targets(tmp_path / "data") == [[7, 5, 1, 7, 1, 5], [1, 4, 1]]
    assert manifest.total.splits["train"].unknown == 4
    assert (
        manifest.config.given_vocabulary
        == vocabulary.parse_user_vocabulary(b"me\nwhale\nsea\nthe", "words.txt").fingerprint()
    )
    assert verify(tmp_path / "data") == []


@pytest.mark.parametrize("tokenizer", ["char", "byte", "wordpiece", "bpe"])
def test_the_vocabulary_of_another_dataset_gives_the_same_ids(corpus: str, tmp_path: Path, tokenizer: str) -> None:
    prepare([corpus], str(tmp_path / "one"), config(tokenizer))
    learned = vocabulary.load(tmp_path / "one")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "c.txt").write_text("white white white white")
    again = [corpus, str(tmp_path / "more")]
    prepare(again, str(tmp_path / "two"), config(tokenizer), vocabulary=str(tmp_path / "one" / "vocabulary.jsonl"))
    taken = vocabulary.load(tmp_path / "two")
    assert taken.tokens == learned.tokens and sum(taken.counts) > sum(learned.counts)
    assert targets(tmp_path / "two")[:2] == targets(tmp_path / "one")


@pytest.fixture(scope="module")
def pieces_dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], Path]]:
    """Texts, and the dataset made of them with the model."""
    folder = tmp_path_factory.mktemp("pieces")
    texts = ["The whale! The é whale", "Call me  Ishmael", "<s> <0x0A> [UNK]"]
    (folder / "corpus").mkdir()
    for i, text in enumerate(texts):
        (folder / "corpus" / f"{i}.txt").write_text(text)
    (folder / "own.model").write_bytes(MODEL.read_bytes())
    prepare(
        [str(folder / "corpus")],
        str(folder / "data"),
        config("sentencepiece"),
        tokenizer_model=str(folder / "own.model"),
    )
    # From here on the dataset is all there is.
    (folder / "own.model").unlink()
    yield texts, folder / "data"


def test_a_dataset_of_pieces_has_its_model_beside_it(pieces_dataset: tuple[list[str], Path]) -> None:
    texts, folder = pieces_dataset
    assert (folder / "tokenizer.model").read_bytes() == MODEL.read_bytes()
    assert verify(folder) == []
    text = TextConfig(**json.loads((folder / "manifest.json").read_text())["config"]["text"])
    assert text.tokenizer_model == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    loaded = preprocessor.load(folder, text)
    ids = loaded.encode(tf.constant(texts))
    assert ids.to_list() == targets(folder)
    assert loaded.decode(ids).numpy().tolist() == [" ".join(text.split()).encode() for text in texts]


def test_the_vocabulary_of_a_dataset_of_pieces_has_their_counts(pieces_dataset: tuple[list[str], Path]) -> None:
    _, folder = pieces_dataset
    learned = vocabulary.load(folder)
    flat = [number for row in targets(folder) for number in row]
    assert list(learned.counts) == [flat.count(number) for number in range(4, learned.size)]
    pairs = list(zip(learned.tokens, learned.counts, strict=True))
    assert pairs == sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def test_the_vocabulary_and_the_model_of_a_dataset_may_be_given_to_another(
    pieces_dataset: tuple[list[str], Path], corpus: str, tmp_path: Path
) -> None:
    _, folder = pieces_dataset
    prepare(
        [corpus],
        str(tmp_path / "data"),
        config("sentencepiece"),
        vocabulary=str(folder / "vocabulary.jsonl"),
        tokenizer_model=str(folder / "tokenizer.model"),
    )
    assert vocabulary.load(tmp_path / "data").tokens == vocabulary.load(folder).tokens
    assert targets(tmp_path / "data")[1] == targets(folder)[1]
