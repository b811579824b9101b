import gc
import hashlib
import string
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textgen.config import BOS, EOS, SPLITS, UNK, VOCABULARY_FILE, PrepareConfig, TextConfig
from textgen.console import import_tensorflow

# First of all, as the command line does, so that TensorFlow's libraries write nothing between a command's lines.
import_tensorflow()

from tests.made_runs import write_run  # noqa: E402
from tests.stored_folders import CONTENT, Folders  # noqa: E402
from textgen.dataset.storage import manifest, windows  # noqa: E402
from textgen.dataset.storage.layouts import LAYOUTS  # noqa: E402
from textgen.dataset.storage.layouts.span_parser import span_sequences  # noqa: E402
from textgen.dataset.storage.manifest import Manifest, UnitReport  # noqa: E402
from textgen.dataset.storage.records import RecordFormat  # noqa: E402
from textgen.dataset.storage.shards import ShardWriter  # noqa: E402
from textgen.dataset.storage.split_counts import SplitCounts  # noqa: E402
from textgen.text.vocabulary import FIRST_ID, Vocabulary  # noqa: E402

CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep", vocabulary_size=100)

# Whole processes, and models that are trained and exported, from text to text, as `make test-system` runs them. The
# longest begin first.
SYSTEM = (
    "tests/test_documentation.py",
    "tests/training/test_replicas.py",
    "tests/test_notebooks.py",
    "tests/training/test_killed_training.py",
    "tests/test_text_path.py",
    "tests/test_urls.py",
    "tests/training/test_trainer.py",
    "tests/commands/test_train.py",
    "tests/commands/test_evaluate.py",
    "tests/commands/test_generate.py",
    "tests/api",
    "tests/export",
    "tests/test_api.py",
    "tests/test_faults.py",
    "tests/test_killed.py",
    "tests/test_bpe_datasets.py",
    "tests/test_keras_registry.py",
    "tests/test_sample_corpus.py",
    "tests/test_given_splits.py",
    "tests/test_console.py",
    "tests/pipelines/test_worker_processes.py",
    "tests/test_fault_trials.py",
    "tests/test_lazy_tensorflow.py",
)

# What `make check` leaves out, by `pytest --durations=0`. The longest begin first, so that no core waits at the end.
SLOW = (
    "tests/dataset/loading/test_loader.py",
    "tests/pipelines",
    "tests/training",
    "tests/text/cleaning",
    "tests/text/test_preprocessor.py",
    "tests/model",
    "tests/generation",
    "tests/serving",
    "tests/reporting",
    "tests/dataset/loading/test_stateful.py",
    "tests/dataset/test_read_sequences.py",
    "tests/text/compiled",
    "tests/text/tokenizers",
    "tests/text/filters",
    "tests/test_fuzzed_files.py",
    "tests/test_system_errors.py",
    "tests/dataset/test_changed_records.py",
    "tests/dataset/storage/layouts/test_layouts.py",
    "tests/dataset/storage/test_manifest_schema.py",
    "tests/dataset/loading/test_mixture.py",
    "tests/dataset/loading/test_pytorch.py",
    "tests/test_tokenized_corpora.py",
    "tests/test_termination.py",
    "tests/commands/test_serve.py",
    "tests/commands/test_estimate.py",
    "tests/commands/test_score.py",
    "tests/commands/test_repair.py",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Does not import files that the command leaves out whole: importing all takes as long as the fast tests."""
    left_out = {"not system": SYSTEM, "not slow": SYSTEM + SLOW}.get(config.getoption("markexpr"), ())
    path = collection_path.relative_to(Path(__file__).parents[1]).as_posix()
    return True if path in left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of the files that are listed, and has them begin before the others."""
    root, listed = Path(__file__).parents[1], SYSTEM + SLOW
    ranks = {}
    for item in items:
        path = item.path.relative_to(root).as_posix()
        ranks[item] = next((i for i, name in enumerate(listed) if f"{path}/".startswith(f"{name}/")), len(listed))
        if ranks[item] < len(SYSTEM):
            item.add_marker(pytest.mark.system)
        if ranks[item] < len(listed):
            item.add_marker(pytest.mark.slow)
    items.sort(key=ranks.__getitem__)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Has the garbage collector look at new objects alone, and rarely: tracing graphs makes many, which stay."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


# Folders whose tests share what takes seconds to make.
SHARING = ("tests/serving/",)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Lets the tests of a folder that shares its fixtures run in one process, as those of a file do."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((folder for folder in SHARING if file.startswith(folder)), file)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


Documents = Sequence[Sequence[int]]
MakeDataset = Callable[..., Path]
MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def make_dataset() -> MakeDataset:
    """Writes a dataset of documents given as ids, as a preparation would, without Beam.

    `vocabulary_size` counts the four reserved ids too, and the tokens are letters unless they are given.
    """

    def make(
        directory: Path,
        *,
        train: Documents,
        validation: Documents = (),
        test: Documents = (),
        vocabulary_size: int = 20,
        tokens: Sequence[str] | None = None,
        text: TextConfig = CHAR,
        window: int = 5,
        stride: int = 1,
        layout: str = "pairs",
        boundaries: bool = True,
        dropped: int = 0,
    ) -> Path:
        directory.mkdir(parents=True)
        config = PrepareConfig(text=text, window=window, stride=stride, layout=layout, boundaries=boundaries)
        seen = Counter(int(token) for document in train for token in document)
        texts = tuple(tokens or string.ascii_letters[: vocabulary_size - FIRST_ID])
        words = Vocabulary(texts, tuple(seen[FIRST_ID + i] for i in range(len(texts))))
        (directory / VOCABULARY_FILE).write_bytes(words.to_bytes())
        report = UnitReport(unit=0)
        if dropped:
            report.drop("empty", dropped)
        for split, documents in zip(SPLITS, (train, validation, test), strict=True):
            if len(documents):
                _write_split(directory, split, documents, config, words, report)
        content = Manifest(
            config=config,
            fingerprint="0" * 64,
            vocabulary_size=words.size,
            vocabulary_sha256=words.fingerprint(),
            tokens_sha256=words.tokens_fingerprint(),
            inputs_sha256=hashlib.sha256(b"").hexdigest(),
            units=(report,),
        ).to_bytes()
        (directory / manifest.FILE_NAME).write_bytes(content)
        (directory / manifest.INPUTS_FILE).write_bytes(b"")
        return directory

    return make


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """Writes a run with initial weights; see `write_run`."""
    return write_run


@pytest.fixture(scope="session")
def cut_spans() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """All pairs of span records, given as bytes, in order."""

    def cut(serialized: Sequence[bytes], *, window: int, stride: int, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        ends = np.cumsum([len(record) // dtype.itemsize for record in serialized])
        starts = np.concatenate([[0], ends[:-1]])
        spans = span_sequences(np.frombuffer(b"".join(serialized), dtype), starts, ends)
        targets = windows.targets(spans, window=window, stride=stride)
        return windows.Windows(spans.ids.astype(np.int32), window=window).pairs(targets)

    return cut


def _write_split(
    directory: Path,
    split: str,
    documents: Documents,
    config: PrepareConfig,
    words: Vocabulary,
    report: UnitReport,
) -> None:
    name = f"{split}-000000.tfrecord"
    writer, pairs = ShardWriter(directory / name), 0
    for document in documents:
        ids = [BOS, *document, EOS] if config.boundaries else list(document)
        sequences = windows.sequences([np.array(ids, np.int64)])
        for records in LAYOUTS[config.layout].encode(
            sequences, RecordFormat(config.window, config.stride, words.size)
        ):
            writer.write(records)
            pairs += int(records.pairs.sum())
    report.documents += len(documents)
    report.kept += len(documents)
    report.splits[split] = SplitCounts(
        documents=len(documents),
        # Every token of these datasets stands for one character, unknown ones too.
        characters=sum(len(document) for document in documents),
        tokens=sum(len(document) for document in documents),
        unknown=sum(list(document).count(UNK) for document in documents),
        pairs=pairs,
    )
    report.bytes += report.splits[split].characters
    report.shards.append(writer.close(name=name, split=split, unit=0))


@pytest.fixture(params=["local", "file", "memory", "driver"])
def stored_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folders:
    """A folder with the files `a` and `b`, for each way in which a user may name it."""
    folders = Folders(
        {
            "local": str(tmp_path),
            "file": f"file://{tmp_path}",
            "memory": f"memory://{uuid.uuid4().hex}/data",
            "driver": f"local://{tmp_path}",
        }[request.param]
    )
    folders.write("a", CONTENT)
    folders.write("b", b"")
    return folders
