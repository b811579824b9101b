import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHAR, MakeDataset
from textgen.config import TextConfig
from textgen.dataset import read_manifest
from textgen.reporting import example_pairs as module
from textgen.reporting.example_pairs import vocabulary_and_pairs

WORDS = ("the", "(", ")", ".", "whale", "“", "”", "don't")


@pytest.mark.parametrize(
    ("text", "tokens", "first"),
    [(TextConfig(), WORDS, "[BOS] the (whale)."), (CHAR, tuple("thewals.()"), "[BOS]thaew")],
    ids=["word", "char"],
)
def test_pairs_are_shown_as_by_the_graph(
    tmp_path: Path,
    make_dataset: MakeDataset,
    text: TextConfig,
    tokens: tuple[str, ...],
    first: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = [4, 5, 8, 6, 7, 9, 10]
    data = str(make_dataset(tmp_path / "data", train=[document] * 4, tokens=tokens, text=text, window=9))
    manifest = read_manifest(data)
    words, found = vocabulary_and_pairs(data, manifest, 20)
    assert words.tokens == tokens
    assert [pair["x"] for pair in found][0] == "[BOS]"
    assert any(pair["x"].startswith(first[:9]) for pair in found)
    assert [pair["y"] for pair in found][:3] == [tokens[0], tokens[1], tokens[4]]
    monkeypatch.setattr(module, "_plain_texts", lambda *arguments: [])
    assert vocabulary_and_pairs(data, manifest, 20) == (words, found)


def test_inspect_needs_no_tensorflow(tmp_path: Path, make_dataset: MakeDataset) -> None:
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6]] * 4)
    script = "import sys; from textgen.cli import main; main(sys.argv[1:]); "
    script += "print({'tensorflow', 'numba'} & {*sys.modules})"
    ran = subprocess.run(
        [sys.executable, "-c", script, "inspect", str(data)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "set()"
