"""Turns the texts of tokens into text that can be shown at once: whole characters, and nothing of a stop string."""

import codecs
from collections.abc import Sequence


class TextStream:
    """The text of one continuation while it is written.

    What may still become a stop string, and the first bytes of a character, are held back until more is known.
    """

    def __init__(self, stops: Sequence[str] = ()):
        """Begins an empty text, which ends before any of `stops`."""
        self._stops = [text.encode(errors="replace") for text in stops]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""

    def add(self, text: bytes) -> str:
        """Returns what can be shown after further text, which ends no stop string."""
        self._held += text
        held = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        shown, self._held = self._held[: len(self._held) - held], self._held[len(self._held) - held :]
        return self._decoder.decode(shown)

    def end(self, text: bytes = b"", *, cut: int = 0) -> str:
        """Returns the rest of the text.

        Args:
            text: further text.
            cut: number of bytes that a stop string takes from the end.
        """
        rest = self._held + text
        self._held = b""
        return self._decoder.decode(rest[: max(len(rest) - cut, 0)], final=True)


def _overlap(text: bytes, stop: bytes) -> int:
    """Returns the length of the longest end of a text with which a stop string begins, but not all of it."""
    lengths = range(min(len(stop) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(stop[:length])), 0)
