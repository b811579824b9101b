import builtins
from pathlib import Path

import pytest

from tests.export.reading import require_same_logits
from textgen.errors import UserError
from textgen.export import onnx_model


def test_every_network_has_the_same_logits(lstm, bilstm, variants, tmp_path: Path):
    runtime = pytest.importorskip("onnxruntime")
    for trained in (lstm, bilstm, *variants):
        onnx_model.save(trained.model, tmp_path)
        session = runtime.InferenceSession(tmp_path / onnx_model.FILE_NAME)
        names = [output.name.removeprefix("new_") for output in session.get_outputs()]
        require_same_logits(
            trained,
            lambda inputs, session=session, names=names: dict(zip(names, session.run(None, inputs), strict=True)),
        )


def test_without_the_package_the_error_names_the_extra(lstm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def importing(name: str, *rest):
        if name == "onnx":
            raise ImportError
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(UserError, match=r"needs the package onnx, which is not installed.*extra \[onnx\]"):
        onnx_model.save(lstm.model, tmp_path)
    assert not list(tmp_path.iterdir())
