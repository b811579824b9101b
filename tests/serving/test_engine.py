import queue
import threading
import time
from typing import Any

import pytest

from tests.serving.conftest import Served
from textgen.config import GenerationConfig
from textgen.serving import engine as engine_module
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


def test_texts_that_come_while_the_first_begins_begin_together_before_its_first_token(
    served: Served, monkeypatch: pytest.MonkeyPatch
):
    engine, pieces, done = served.model.engine, queue.Queue(), list[int | str]()
    begin, advance, all_came = engine._begin, engine._advance, threading.Event()
    monkeypatch.setattr(engine_module, "_SECONDS_FOR_ANOTHER", 0.5)
    monkeypatch.setattr(engine_module, "_SECONDS_BETWEEN_OTHERS", 0.5)
    monkeypatch.setattr(engine_module, "_MOST_SECONDS_FOR_OTHERS", 20.0)
    monkeypatch.setattr(engine, "_begin", lambda texts: (done.append(len(texts)), all_came.wait(20), begin(texts)))
    monkeypatch.setattr(engine, "_advance", lambda: (done.append("advance"), advance()))
    engine.submit([_text(pieces)])
    while not done:
        time.sleep(0.01)
    for prompt in (b"b", b"ab"):
        engine.submit([_text(pieces, prompt=prompt)])
    all_came.set()
    assert {pieces.get(timeout=20).reason for _ in range(3)} == {"length"}
    assert done[:3] == [1, 2, "advance"]


def test_a_text_that_comes_alone_takes_one_call(served: Served, monkeypatch: pytest.MonkeyPatch):
    engine, pieces = served.model.engine, queue.Queue()

    def fail() -> None:
        raise AssertionError

    monkeypatch.setattr(engine, "_advance", fail)
    engine.submit([_text(pieces), _text(pieces, prompt=b"b", top=None)])
    assert [pieces.get(timeout=20).reason for _ in range(2)] == ["length", "length"]


def test_a_text_counts_as_running_while_it_begins(served: Served, monkeypatch: pytest.MonkeyPatch):
    engine, pieces, running = served.model.engine, queue.Queue(), list[int]()
    begin = engine._loop.begin
    monkeypatch.setattr(
        engine._loop, "begin", lambda *of, **how: (running.append(engine.running), begin(*of, **how))[1]
    )
    engine.submit([_text(pieces), _text(pieces, prompt=b"b")])
    assert [pieces.get(timeout=20).reason for _ in range(2)] == ["length", "length"]
    assert running == [2]


def test_texts_do_not_wait_for_others_without_room_for_them(served: Served, monkeypatch: pytest.MonkeyPatch):
    engine, pieces = served.model.engine, queue.Queue()
    monkeypatch.setattr(engine, "_max_rows", 1)
    monkeypatch.setattr(engine_module, "_SECONDS_FOR_ANOTHER", 60.0)
    engine.submit([_text(pieces), _text(pieces, prompt=b"b")])
    assert [pieces.get(timeout=20).reason for _ in range(2)] == ["length", "length"]


@pytest.mark.parametrize("top", [None, 2])
def test_pieces_of_a_token_each_are_the_whole_text(served: Served, monkeypatch: pytest.MonkeyPatch, top: int | None):
    engine, pieces, whole = served.model.engine, queue.Queue(), queue.Queue()
    config = GenerationConfig(tokens=80, seed=3, may_end=False)
    engine.submit([_text(whole, config=config, top=None)])
    monkeypatch.setattr(engine_module, "_SECONDS_PER_PIECE", 0.0)
    engine.submit([_text(pieces, config=config, top=top, by_pieces=True)])
    found = [pieces.get(timeout=20)]
    while not found[-1].reason:
        found.append(pieces.get(timeout=20))
    assert len(found) == 80
    assert b"".join(text for piece in found for text in piece.texts) == b"".join(whole.get(timeout=20).texts)
