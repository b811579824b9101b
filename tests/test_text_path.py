"""One text path: every route from text to ids agrees, on the sample corpus and on many scripts."""

import csv
from pathlib import Path

import pytest
import tensorflow as tf

from pipelines.prepare import prepare
from textgen.config import EOS, TEXT_DEFAULTS, PrepareConfig, TextConfig
from textgen.dataset import read_pairs
from textgen.text import preprocessor as preprocessors
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer

ROOT = Path(__file__).parents[1]
SCRIPTS = (Path(__file__).parent / "data" / "scripts.txt").read_text(encoding="utf-8").splitlines()


def sample_documents() -> list[str]:
    before = csv.field_size_limit(1 << 30)
    with (ROOT / "examples" / "sotu_1961_2021.csv").open(encoding="utf-8", newline="") as file:
        speeches = [row["narrative"] for row in csv.DictReader(file)]
    csv.field_size_limit(before)
    chapters = sorted((ROOT / "examples" / "moby_dick").glob("*.txt"))
    return speeches[:6] + [path.read_text(encoding="utf-8") for path in chapters[:12]]


CORPORA = {"scripts": SCRIPTS, "sample": sample_documents()}


@pytest.fixture(params=["word", "char", "byte", "wordpiece", "bpe"])
def text(request: pytest.FixtureRequest) -> TextConfig:
    return TextConfig(tokenizer=request.param, **{**TEXT_DEFAULTS[request.param], "vocabulary_size": 300})


@pytest.fixture(params=CORPORA)
def documents(request: pytest.FixtureRequest) -> list[str]:
    return CORPORA[request.param]


def test_eager_graph_pipeline_beam_and_saved_model_give_the_same_ids(
    text: TextConfig, documents: list[str], tmp_path: Path
) -> None:
    settings = PrepareConfig(text=text, format="document", window=4, validation_percent=0, test_percent=0)
    for i, document in enumerate(documents):
        (tmp_path / f"{i:03d}.txt").write_bytes(document.encode())
    prepare([f"{tmp_path}/*.txt"], str(tmp_path / "data"), settings)
    preprocessor = preprocessors.load(tmp_path / "data", text)

    eager = preprocessor.encode(tf.constant(documents)).to_list()
    assert sum(map(len, eager)) > 150

    graph = tf.function(preprocessor.encode)(tf.constant(documents)).to_list()
    assert graph == eager

    tokens = preprocessor.tokenize([document.encode() for document in documents], [False] * len(documents))
    looked_up = tf.gather(preprocessor.ids(tokens.symbols), tokens.indices)
    assert looked_up.flat_values.numpy().tolist() == [i for ids in eager for i in ids]

    dataset = tf.data.Dataset.from_tensor_slices(documents).batch(3).map(preprocessor.encode).unbatch()
    assert [ids.numpy().tolist() for ids in dataset] == eager

    # [BOS] is no target and [EOS] is one a document, so the targets are the documents on end.
    targets = [i for _, y in read_pairs(tmp_path / "data", batch_size=4096) for i in y.numpy().tolist()]
    assert targets == [i for ids in eager for i in (*ids, EOS)]

    tf.saved_model.save(Served(preprocessor), str(tmp_path / "served"))
    served = tf.saved_model.load(str(tmp_path / "served")).ids(tf.constant(documents))
    assert served.numpy().tolist() == [i for i in targets if i != EOS]


class Served(tf.Module):
    def __init__(self, preprocessor: Preprocessor):
        super().__init__()
        self.preprocessor = preprocessor

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def ids(self, texts: tf.Tensor) -> tf.Tensor:
        return self.preprocessor.encode(texts).flat_values


def test_batching_does_not_change_the_ids(text: TextConfig) -> None:
    preprocessor = Preprocessor(text, make_tokenizer(text).learn({"a": 2, "b": 1}, text.vocabulary_size))
    together = preprocessor.encode(tf.constant(SCRIPTS)).to_list()
    alone = [preprocessor.encode(tf.constant([line])).to_list()[0] for line in SCRIPTS]
    assert together == alone
