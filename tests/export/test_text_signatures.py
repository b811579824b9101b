"""The signatures are tested as a whole by test_saved_model.py; here, that servers know their defaults."""

from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2


def test_every_setting_has_a_default_that_servers_read(saved: Path):
    content = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
    signatures = content.meta_graphs[0].signature_def
    assert {"generate", "next_token", "score"} <= set(signatures)
    generate = signatures["generate"]
    assert set(generate.inputs) - set(generate.defaults) == {"prompt"}
    assert list(generate.defaults["max_tokens"].int_val) == [100]
    assert set(generate.outputs) == {"text", "tokens", "ids", "log_probabilities", "lengths", "reason"}
