from textgen.serving.answers import Choice, merged, shown
from textgen.serving.queued_text import Piece

TEXTS = [b"", b"[UNK]", b"", b"[EOS]", b"a", b"\xc3", b"\xa9"]


def _piece(*ids: int, reason: str = "", cut: int = 0) -> Piece:
    return Piece(
        texts=[TEXTS[i] for i in ids], ids=ids, log_probabilities=[-1.0] * len(ids), top_ids=[[4]] * len(ids),
        top_log_probabilities=[[-0.5]] * len(ids), reason=reason, cut=cut,
    )  # fmt: skip


def test_characters_of_several_tokens_are_shown_when_they_are_whole():
    choice = Choice(0, TEXTS, stops=(), logprobs=1)
    parts = [choice.add(_piece(4)), choice.add(_piece(5)), choice.add(_piece(6, reason="end"))]
    assert [part["text"] for part in parts] == ["a", "", "é"]
    whole = merged(parts)
    assert (whole["text"], whole["finish_reason"]) == ("aé", "stop")
    assert whole["logprobs"]["tokens"] == ["a", "bytes:\\xc3", "bytes:\\xa9"]
    assert whole["logprobs"]["top_logprobs"][1] == {"a": -0.5, "bytes:\\xc3": -1.0}


def test_a_stop_string_is_held_back():
    choice = Choice(0, TEXTS, stops=("aa",), logprobs=None)
    parts = [choice.add(_piece(4)), choice.add(_piece(4, reason="stop", cut=2))]
    assert merged(parts) == {"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}


def test_bytes_are_shown_by_their_numbers():
    assert (shown("é".encode()), shown(b"\xe2\x80")) == ("é", "bytes:\\xe2\\x80")
