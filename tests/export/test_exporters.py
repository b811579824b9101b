import subprocess
import sys
from pathlib import Path

import pytest

from tests.export.conftest import build
from textgen.commands.export import FORMATS as NAMES
from textgen.config import GenerationConfig, TextConfig
from textgen.errors import UserError
from textgen.export import exporters
from textgen.generation.writer import Writer

CLIENT = Path(__file__).parents[2] / "examples" / "client_without_tensorflow.py"
WITHOUT_TENSORFLOW = """
import runpy, sys
sys.modules.update(tensorflow=None, textgen=None)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0])
"""
WORDS = ("sea", "whale", "the", ",", "boat", "ship", ".", "of")


def test_the_command_has_all_formats():
    assert tuple(exporters.FORMATS) == NAMES


@pytest.mark.parametrize(("network", "format"), [("lstm", "litert"), ("bilstm", "onnx"), ("subwords", "onnx")])
def test_a_client_without_tensorflow_writes_the_same_text(lstm, subwords, network: str, format: str, tmp_path: Path):
    pytest.importorskip({"litert": "ai_edge_litert", "onnx": "onnxruntime"}[format])
    trained = {"lstm": lstm, "bilstm": build("bilstm", TextConfig(), WORDS), "subwords": subwords}[network]
    prompt = {"lstm": "abé z", "bilstm": "the sea , xx", "subwords": "the whale [PAD] é"}[network]
    exporters.export(*trained, tmp_path / "out", format=format, boundaries=True)
    (expected,) = Writer(*trained, boundaries=True).write(
        [prompt], GenerationConfig(temperature=0, tokens=25, ban=("[UNK]",), echo=False)
    )
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, CLIENT, tmp_path / "out", prompt, "25"],
        cwd=tmp_path, capture_output=True, check=False, env={},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    text = {"lstm": "".join(expected.tokens), "bilstm": " ".join(expected.tokens), "subwords": expected.text}[network]
    assert done.stdout.decode() == text + "\n"
    assert len(set(expected.tokens)) > 2


def test_a_client_without_tensorflow_names_a_tokenizer_that_it_lacks(tmp_path: Path):
    (tmp_path / "vocabulary.json").write_text('{"tokenizer": "wordpiece", "tokens": ["[PAD]"]}')
    done = subprocess.run([sys.executable, CLIENT, tmp_path, "a", "1"], capture_output=True, check=False, env={})
    assert done.returncode == 1
    assert done.stderr.decode().startswith("the tokenizer wordpiece is not in this example")


def test_a_folder_is_complete_or_not_there(lstm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporters.FORMATS, "litert", fail)
    with pytest.raises(OSError, match="No space left"):
        exporters.export(*lstm, tmp_path / "out", format="litert", boundaries=True)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_refused(lstm, tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(UserError, match="is not an empty folder; an export needs a new one"):
        exporters.export(*lstm, tmp_path / "full", format="litert", boundaries=True)
    with pytest.raises(
        UserError, match="format is 'tfjs'; it must be one of: saved_model, core_saved_model, litert, onnx"
    ):
        exporters.export(*lstm, tmp_path / "new", format="tfjs", boundaries=True)
