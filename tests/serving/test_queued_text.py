from textgen.config import GenerationConfig
from textgen.serving.queued_text import QueuedText, WrittenSoFar


def test_texts_share_nothing_of_what_was_written():
    first, second = (
        QueuedText(
            prompt=b"", prompt_ids=None, config=GenerationConfig(), sample=0, top=None, by_pieces=False, scored=False
        )
        for _ in range(2)
    )  # fmt: skip
    first.written.ids.append(5)
    assert second.written.ids == [] and not second.cancelled


def test_ids_are_new_until_they_are_delivered():
    written = WrittenSoFar(ids=[5, 6], delivered=1)
    assert written.is_new
    written.delivered = 2
    assert not written.is_new
