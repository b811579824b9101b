import queue
from typing import Any

import pytest

from tests.serving.conftest import Served
from textgen.config import GenerationConfig
from textgen.serving.queued_text import EngineError, Piece, QueuedText


def _text(pieces: queue.Queue, **settings) -> QueuedText:
    plain: dict[str, Any] = {"prompt": b"a", "prompt_ids": None, "sample": 0, "by_pieces": False, "scored": False}
    config = GenerationConfig(tokens=3, temperature=0)
    return QueuedText(**{**plain, "config": config, "top": 1, "deliver": pieces.put, **settings})


def test_an_error_ends_the_texts_at_hand_and_not_the_engine(served: Served, monkeypatch: pytest.MonkeyPatch):
    engine, pieces = served.model.engine, queue.Queue()

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_begin", fail)
        engine.submit([_text(pieces)])
        error = pieces.get(timeout=20)
        assert isinstance(error, EngineError) and isinstance(error.cause, MemoryError)
    engine.submit([_text(pieces)])
    piece = pieces.get(timeout=20)
    assert isinstance(piece, Piece) and piece.reason == "length" and len(piece.ids) == 3


def test_a_text_that_nobody_waits_for_is_not_begun(served: Served):
    pieces: queue.Queue = queue.Queue()
    served.model.engine.submit([_text(pieces, cancelled=True), _text(pieces, prompt=b"b")])
    assert isinstance(pieces.get(timeout=20), Piece)
    assert pieces.empty()
