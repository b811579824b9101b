from tests.serving.conftest import Served


def test_every_id_has_a_text_and_nothing_is_left_to_write(served: Served):
    assert served.model.token_texts[:5] == (b"[PAD]", b"[UNK]", b"[BOS]", b"[EOS]", b"a")
    assert (served.model.engine.running, served.model.engine.waiting) == (0, 0)
