from pathlib import Path

import pytest

from tests.export.reading import require_same_logits
from textgen.export import litert


def test_every_network_has_the_same_logits(lstm, bilstm, variants):
    for trained in (lstm, bilstm, *variants):
        step = litert.plain_step(trained.model)
        require_same_logits(
            trained, lambda inputs, step=step: {name: value.numpy() for name, value in step(*inputs.values()).items()}
        )


def test_what_is_converted_has_no_operations_of_tensorflow(variants, tmp_path: Path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    # The converter takes seconds; these two have all layers.
    for trained in variants[:2]:
        litert.save(trained.model, tmp_path)
        model = interpreter.Interpreter(str(tmp_path / litert.FILE_NAME))
        run = model.get_signature_runner()
        require_same_logits(trained, lambda inputs, run=run: run(**inputs))
        names = {operation["op_name"] for operation in model._get_ops_details()}
        assert "FULLY_CONNECTED" in names
        assert not [name for name in names if name.startswith("Flex") or "WHILE" in name or "CUSTOM" in name]
