"""Corpora that are tokenized already, as Penn Treebank and WikiText: every token is a target once, in its split."""

import re
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from textgen.api.datasets import prepare
from textgen.config import TextConfig
from textgen.dataset import read_manifest, read_pairs
from textgen.text import preprocessor as preprocessors
from textgen.text.preprocessor import Preprocessor

TREEBANK = {
    "train": " no it was n't <unk> monday \n mr. <unk> is chairman of <unk> n.v. \n N N cars rose \n" * 8,
    "validation": " it was <unk> \n consumers may want to move their <unk> \n",
    "test": " N cars rose \n",
}
WIKITEXT = " \n = Robert <unk> = \n \n In 2000 , a non @-@ commercial 1 @,@ 000 @.@ 5 km <unk> 's \n \n"


def prepared(texts: dict[str, str], folder: Path, **settings: Any) -> tuple[Path, TextConfig]:
    for split, text in texts.items():
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    given = {f"{split}_input": folder / f"{split}.txt" for split in texts if split != "train"}
    made = prepare(folder / "train.txt", folder / "data", preset="tokenized", layout="spans", **given, **settings)
    return folder / "data", made.text


def targets(data: Path, split: str, preprocessor: Preprocessor) -> list[str]:
    """Returns the texts of all targets of a split, in the order of the corpus."""
    ids = tf.concat([y for _, y in read_pairs(data, split=split, batch_size=512)], axis=0)
    texts = preprocessor._table.texts(tf.RaggedTensor.from_row_lengths(ids, [tf.size(ids)]))
    return [text.decode() for text in texts.flat_values.numpy()]


@pytest.mark.parametrize("form", ["lines", "document"])
def test_the_tokens_of_a_treebank_are_the_targets_of_their_split(tmp_path: Path, form: str) -> None:
    data, text_config = prepared(TREEBANK, tmp_path, format=form)
    preprocessor = preprocessors.load(data, text_config)
    for split, text in TREEBANK.items():
        if form == "lines":
            wanted = [word for line in text.splitlines() for word in [*line.split(), "[EOS]"]]
        else:
            wanted = [*text.replace("\n", " <eos> ").split(), "[EOS]"]
            wanted = ["\n" if word == "<eos>" else word for word in wanted]
        # A word that the training text does not have is unknown too.
        words = {*preprocessor.vocabulary.tokens, "[EOS]"}
        assert targets(data, split, preprocessor) == [word if word in words else "<unk>" for word in wanted]
    counts = read_manifest(data).total.splits["train"]
    assert counts.unknown == TREEBANK["train"].count("<unk>")
    assert "<unk>" not in preprocessor.vocabulary.tokens


def test_a_wikitext_is_decoded_as_it_was_read(tmp_path: Path) -> None:
    data, text_config = prepared(
        {"train": WIKITEXT}, tmp_path, format="document", validation_percent=0, test_percent=0
    )
    preprocessor = preprocessors.load(data, text_config)
    assert {"@-@", "@,@", "@.@", "=", "'s", "\n"} < set(preprocessor.vocabulary.tokens)
    decoded = preprocessor.decode(preprocessor.encode(tf.constant([WIKITEXT])))[0].numpy().decode()
    assert decoded == re.sub(" *\n *", "\n", WIKITEXT)
    joined = preprocessor.tokenizer.join(tf.constant(["= A ="]), tf.constant(["\nB"]))
    assert joined.numpy().tolist() == [b"= A =\nB"]
