"""Writes the texts of all requests to one model in one batch, which rows enter and leave while it is written."""

import collections
import math
import threading
import time
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from textgen.config import BOS
from textgen.generation.controls import make_controls
from textgen.generation.generator import Generator
from textgen.generation.scoring import Scorer
from textgen.generation.text_state import REASONS, Written
from textgen.serving.batch_rows import BatchRows, join, padded, select
from textgen.serving.piece_texts import PieceTexts
from textgen.serving.queued_text import SCORED, EngineError, Piece, QueuedText
from textgen.serving.token_loop import TokenLoop
from textgen.text.preprocessor import Preprocessor

_SECONDS = 1.0
"""Duration of a call of the graph that writes; that a client has gone is noticed after it."""

_SECONDS_PER_PIECE = 0.1
"""Duration of a call if a text is streamed; each call, and each piece, takes milliseconds."""

_SECONDS_FOR_ANOTHER, _SECONDS_BETWEEN_OTHERS, _MOST_SECONDS_FOR_OTHERS = 0.001, 0.008, 0.1
"""Time that a text waits for a second one, if others are being written; time without a further one after which two or
more are begun; and the longest time that they wait. Of requests that come at once one is read in a millisecond, while
to begin texts takes 10 to 30, and those that begin later end later."""

_SCORED_AT_ONCE = 16
"""Number of prompts that are scored between two calls of the graph that writes."""


class Engine:
    """Writes and scores texts with one model, in a thread of its own."""

    def __init__(
        self,
        generators: Sequence[Generator],
        scorer: Scorer,
        preprocessor: Preprocessor,
        *,
        max_rows: int = 64,
        max_waiting: int = 256,
    ):
        """Makes an engine, and starts its thread.

        Args:
            generators: write texts; see `TokenLoop`.
            scorer: scores texts.
            preprocessor: encodes prompts.
            max_rows: maximum number of texts that are written at the same time.
            max_waiting: maximum number of texts that wait for this.
        """
        self._scorer, self._preprocessor = scorer, preprocessor
        self._loop, self._decoder = TokenLoop(generators), generators[0]
        self._texts = PieceTexts(self._decoder)
        self._max_rows, self._max_waiting = max_rows, max_waiting
        self._waiting: collections.deque[QueuedText] = collections.deque()
        self._running: list[QueuedText] = []
        self._rows: BatchRows | None = None
        self._changed, self._is_idle = threading.Condition(), False
        self._encode = tf.function(
            preprocessor.encode, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )
        threading.Thread(target=self._work, daemon=True, name="engine").start()

    @property
    def running(self) -> int:
        """Number of texts that are being written."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Number of texts that wait."""
        return len(self._waiting)

    def encode(self, text: bytes) -> list[int]:
        """Returns the ids of a text, valid UTF-8."""
        ids: list[int] = self._encode(tf.constant([text])).flat_values.numpy().tolist()
        return ids

    def decode(self, ids: Sequence[int]) -> bytes:
        """Returns the text of ids; reserved ones have none."""
        (text,) = self._decoder.continue_text(tf.constant([b""]), padded([ids])).numpy()
        return bytes(text)

    def submit(self, texts: Sequence[QueuedText]) -> bool:
        """Queues texts; returns False, and queues none, if too many wait."""
        with self._changed:
            # A request of any size is taken when nothing waits.
            if self._waiting and len(self._waiting) + len(texts) > self._max_waiting:
                return False
            self._waiting.extend(texts)
            self._changed.notify()
            # To interrupt, and to allow again, takes a third of a millisecond each.
            if not self._is_idle:
                self._loop.interrupt()
        return True

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._running:
                    self._is_idle = True
                    self._changed.wait()
                self._is_idle = False
                # A first text begins at once, and those that come in the meantime after it, before it goes on.
                is_first = not self._running
                if self._waiting and not is_first:
                    self._wait_for_others()
                taken = self._take()
                self._loop.allow()
            try:
                self._score([text for text in taken if text.scored])
                self._begin([text for text in taken if not text.scored])
                if not is_first:
                    self._advance()
            except Exception as error:
                self._fail(error, taken)

    def _wait_for_others(self) -> None:
        """Waits until no further text comes or there is room for no more.

        Texts that begin together cost hardly more than one.
        """
        latest, room = time.monotonic() + _MOST_SECONDS_FOR_OTHERS, self._max_rows - len(self._running)
        seconds = _SECONDS_FOR_ANOTHER if len(self._waiting) == 1 else _SECONDS_BETWEEN_OTHERS
        while len(self._waiting) < room and self._changed.wait(seconds) and time.monotonic() < latest:
            seconds = _SECONDS_BETWEEN_OTHERS

    def _take(self) -> list[QueuedText]:
        """Takes the texts that are begun next from the queue."""
        taken: list[QueuedText] = []
        while self._waiting and len(self._running) + len(taken) < self._max_rows:
            text = self._waiting.popleft()
            if not text.cancelled:
                taken.append(text)
        return taken

    def _fail(self, error: Exception, taken: Sequence[QueuedText]) -> None:
        """Ends all texts at hand with an error, such as too little memory."""
        failure = EngineError(error)
        for text in {id(text): text for text in (*self._running, *taken)}.values():
            text.deliver(failure)
        self._running, self._rows = [], None

    def _begin(self, texts: list[QueuedText]) -> None:
        """Begins texts; if no others are running or waiting, their first tokens are written too."""
        if not texts:
            return
        ids = padded([text.prompt_ids or () for text in texts])
        prompts = tf.constant([text.prompt for text in texts])
        configs = [text.config for text in texts]
        controls = make_controls(configs, self._preprocessor, samples=[text.sample for text in texts])
        seconds = None if self._running else _seconds(texts)
        self._running = self._running + texts
        begun = self._loop.begin(prompts, ids, controls, configs, seconds=seconds, top=_top(texts))
        known = zip(begun.prompts.numpy().tolist(), begun.prompt_tokens.numpy().tolist(), strict=True)
        for text, (prompt, tokens) in zip(texts, known, strict=True):
            text.written.prompt, text.prompt_tokens = prompt, tokens + text.begins
        if self._rows is None:
            self._rows = begun.rows
            self._take_in(begun.written, begun.texts.numpy().tolist())
        else:
            self._rows = join(self._rows, begun.rows)

    def _advance(self) -> None:
        """Writes further tokens of all rows."""
        if self._rows is None:
            return
        configs = [text.config for text in self._running]
        seconds, top = _seconds(self._running), _top(self._running)
        self._rows, written = self._loop.write(self._rows, configs, seconds=seconds, top=top)
        self._take_in(written)

    def _take_in(self, written: Written, texts: Sequence[bytes] | None = None) -> None:
        """Delivers new tokens, and takes out the rows that have ended.

        Args:
            written: the new tokens of each row.
            texts: the text of all tokens of each row; None if it is not known.
        """
        assert self._rows is not None
        state = self._rows.state
        ids, *others = (tensor.numpy() for tensor in written)
        for row, (text, length) in enumerate(zip(self._running, state.lengths.numpy().tolist(), strict=True)):
            count = length - len(text.written.ids)
            text.written.ids += ids[row, :count].tolist()
            text.written.text = texts[row] if texts else None
            if text.top is not None:
                text.written.log_probabilities += others[0][row, :count].tolist()
                text.written.top_ids += others[1][row, :count, : text.top].tolist()
                text.written.top_log_probabilities += others[2][row, :count, : text.top].tolist()
        reasons, cuts = state.reasons.numpy().tolist(), state.cuts.numpy().tolist()
        self._deliver([(text, REASONS[reasons[row]], cuts[row]) for row, text in enumerate(self._running)])
        kept = [row for row, text in enumerate(self._running) if not (reasons[row] or text.cancelled)]
        if len(kept) < len(self._running):
            self._rows = select(self._rows, kept) if kept else None
            self._running = [self._running[row] for row in kept]

    def _deliver(self, texts: Sequence[tuple[QueuedText, str, int]]) -> None:
        """Delivers the new tokens of streams and of texts that have ended; with why each has ended, and its cut."""
        due = [one for one in texts if one[1] or (one[0].by_pieces and one[0].written.is_new)]
        by_token = [one for one in due if one[0].top is not None]
        others = [one for one in due if one[0].top is None]
        for group, texts_of in ((others, self._texts.as_one), (by_token, self._texts.by_token)):
            found = texts_of([text.written for text, _, _ in group]) if group else []
            for (text, reason, cut), pieces in zip(group, found, strict=True):
                new = text.written
                text.deliver(
                    Piece(
                        texts=pieces,
                        ids=new.ids[new.delivered :],
                        log_probabilities=new.log_probabilities,
                        top_ids=new.top_ids,
                        top_log_probabilities=new.top_log_probabilities,
                        reason=reason,
                        cut=cut,
                    )
                )
                new.delivered = len(new.ids)
                new.log_probabilities, new.top_ids, new.top_log_probabilities = [], [], []

    def _score(self, texts: Sequence[QueuedText]) -> None:
        """Scores prompts, and delivers them."""
        for i in range(0, len(texts), _SCORED_AT_ONCE):
            group = texts[i : i + _SCORED_AT_ONCE]
            for is_text in (True, False):
                self._score_alike([text for text in group if (text.prompt_ids is None) == is_text])

    def _score_alike(self, texts: Sequence[QueuedText]) -> None:
        """Scores prompts that are all texts, or all ids."""
        if not texts:
            return
        top = max(text.top or 0 for text in texts)
        if texts[0].prompt_ids is None:
            found = self._scorer.score(tf.constant([text.prompt for text in texts]), top)
        else:
            found = self._scorer.score_ids(padded([text.prompt_ids or () for text in texts]), top)
        ids, log_probabilities, top_ids, top_log_probabilities, lengths = (one.numpy() for one in found)
        pieces = self._decoder.token_texts(tf.constant([b""] * len(texts)), ids, 0).numpy()
        for row, (text, length) in enumerate(zip(texts, lengths.tolist(), strict=True)):
            text.prompt_tokens = length + text.begins
            values = log_probabilities[row, :length].tolist()
            # A first token with nothing before it has no probability.
            known = [None if math.isnan(value) else value for value in values]
            best = (
                top_ids[row, :length, : text.top].tolist(),
                top_log_probabilities[row, :length, : text.top].tolist(),
            )
            # The [BOS] of a prompt of ids is one of its tokens, though it has no text and no probability.
            first = [BOS] * text.begins
            nothing: list[list[Any]] = [[] for _ in first]
            text.deliver(
                Piece(
                    texts=[b"" for _ in first] + pieces[row, :length].tolist(),
                    ids=first + ids[row, :length].tolist(),
                    log_probabilities=[None for _ in first] + known,
                    top_ids=nothing + best[0],
                    top_log_probabilities=nothing + best[1],
                    reason=SCORED,
                )
            )


def _seconds(texts: Sequence[QueuedText]) -> float:
    """Returns the duration of the next call for some texts."""
    streams = [text for text in texts if text.by_pieces]
    if not streams:
        return _SECONDS
    # The first token of a stream is sent as soon as it is there.
    return _SECONDS_PER_PIECE if all(text.written.ids for text in streams) else 0.0


def _top(texts: Sequence[QueuedText]) -> int:
    """Returns the number of alternatives per token that some texts need."""
    return max(text.top or 0 for text in texts)
