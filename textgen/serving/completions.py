"""Answers requests for completions by the engines of models."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from textgen.config import BOS
from textgen.errors import UserError
from textgen.generation.controls import bias_by_id
from textgen.generation.prompts import sample_numbers
from textgen.serving.answers import Answer, Choice, merged, usage
from textgen.serving.completion_request import CompletionRequest, RequestError
from textgen.serving.engine import Engine
from textgen.serving.prometheus import Metrics
from textgen.serving.queued_text import Piece, QueuedText
from textgen.text.preprocessor import Preprocessor


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model with its engine.

    Attributes:
        name: its id.
        path: folder of the run.
        engine: writes its texts.
        preprocessor: has its vocabulary.
        token_texts: text of each id by itself.
        boundaries: whether the documents of the training data begin with [BOS].
        created: time of the end of its training, in seconds since 1970.
    """

    name: str
    path: Path
    engine: Engine
    preprocessor: Preprocessor
    token_texts: tuple[bytes, ...]
    boundaries: bool
    created: int


@dataclasses.dataclass
class _Tally:
    """Numbers of tokens of a request."""

    prompt: int = 0
    new: int = 0


class Completions:
    """Answers requests."""

    def __init__(self, models: Sequence[ServedModel], metrics: Metrics, *, seconds: float):
        """Makes the answerer.

        Args:
            models: the models.
            metrics: counts tokens and times.
            seconds: maximum duration of an answer.
        """
        self._models = {model.name: model for model in models}
        self._metrics, self._seconds = metrics, seconds

    def events(self, request: CompletionRequest) -> AsyncIterator[dict[str, Any]]:
        """Checks a request, queues it, and returns the events of its answer.

        Raises:
            RequestError: there is no such model, a token does not exist, or too many requests wait.
        """
        model = self._models.get(request.model)
        if model is None:
            raise RequestError(
                f"The model {request.model!r} does not exist; there are: {', '.join(self._models)}.",
                status=404, param="model", code="model_not_found",
            )  # fmt: skip
        self._check_tokens(request, model)
        return self._answer(request, model)

    async def whole(self, request: CompletionRequest, is_gone: Callable[[], Awaitable[bool]]) -> dict[str, Any]:
        """Returns a whole answer.

        Args:
            request: the request.
            is_gone: returns whether the client has gone, so that nobody waits for the answer.

        Raises:
            RequestError: as by `events`, or the time is over.
        """
        gathering = asyncio.ensure_future(self._gather(dataclasses.replace(request, include_usage=True)))
        while not (await asyncio.wait({gathering}, timeout=1))[0]:
            if await is_gone():
                gathering.cancel()
        if gathering.cancelled():
            raise RequestError("The client has gone.", status=400)
        return gathering.result()

    async def _gather(self, request: CompletionRequest) -> dict[str, Any]:
        parts: dict[int, list[dict[str, Any]]] = {}
        last: dict[str, Any] = {}
        async for event in self.events(request):
            last = event
            for choice in event["choices"]:
                parts.setdefault(choice["index"], []).append(choice)
        return {**last, "choices": [merged(parts[index]) for index in sorted(parts)]}

    def _check_tokens(self, request: CompletionRequest, model: ServedModel) -> None:
        size = model.preprocessor.vocabulary.size
        for prompt in request.prompts:
            if not isinstance(prompt, str) and max(prompt, default=0) >= size:
                raise RequestError(
                    f"prompt has the token id {max(prompt):,}; ids are below {size:,}.", param="prompt"
                )
        try:
            bias_by_id(request.config, model.preprocessor)
        except UserError as error:
            raise RequestError(str(error), param="logit_bias") from None

    async def _answer(self, request: CompletionRequest, model: ServedModel) -> AsyncIterator[dict[str, Any]]:
        """Yields the events of an answer: those of the prompts, those of new text, and the numbers of tokens."""
        ends = time.monotonic() + self._seconds
        answer, tally = Answer(model.name), _Tally()
        choices = [
            Choice(i, model.token_texts, stops=request.config.stop, logprobs=request.logprobs)
            for i in range(len(request.prompts) * request.samples)
        ]
        try:
            if request.echo or not request.max_tokens:
                async for event in self._prompts(request, model, choices, tally, ends):
                    yield answer.body([event], None)
            if request.max_tokens:
                async for number, piece in self._pieces(model, _new_texts(request), tally, ends):
                    tally.new += len(piece.ids)
                    yield answer.body([choices[number].add(piece)], None)
            if request.include_usage:
                yield answer.body([], usage(tally.prompt, tally.new))
        finally:
            self._metrics.count("textgen_prompt_tokens_total", f'model="{model.name}"', tally.prompt)
            self._metrics.count("textgen_generated_tokens_total", f'model="{model.name}"', tally.new)

    async def _prompts(
        self, request: CompletionRequest, model: ServedModel, choices: Sequence[Choice], tally: _Tally, ends: float
    ) -> AsyncIterator[dict[str, Any]]:
        """Yields the event of the prompt of each choice, with its scores if log-probabilities are asked for."""
        reason = None if request.max_tokens else "length"
        is_plain = request.logprobs is None and all(isinstance(prompt, str) for prompt in request.prompts)
        if is_plain or not request.echo:
            for i, choice in enumerate(choices):
                prompt = request.prompts[i // request.samples] if request.echo else ""
                yield {**choice.prompt(str(prompt)), "finish_reason": reason}
            return
        async for number, piece in self._pieces(model, _scored_texts(request), tally, ends):
            for choice in choices[number * request.samples : (number + 1) * request.samples]:
                yield {**choice.scored(piece), "finish_reason": reason}

    async def _pieces(
        self, model: ServedModel, texts: Sequence[QueuedText], tally: _Tally, ends: float
    ) -> AsyncIterator[tuple[int, Piece]]:
        """Has texts written or scored, and yields their pieces with the number of the text."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[int, Piece | Exception]] = asyncio.Queue()
        for i, text in enumerate(texts):
            text.deliver = lambda piece, i=i: loop.call_soon_threadsafe(queue.put_nowait, (i, piece))  # type: ignore
        if not model.engine.submit(texts):
            raise RequestError(
                "Too many requests wait. Try again later.", status=429, code="queue_full", kind="rate_limit_error"
            )
        running = len(texts)
        try:
            while running:
                number, piece = await asyncio.wait_for(queue.get(), max(ends - time.monotonic(), 0))
                if isinstance(piece, Exception):
                    raise piece
                running -= bool(piece.reason)
                yield number, piece
        except (asyncio.TimeoutError, TimeoutError):
            raise RequestError(
                f"The answer took more than {self._seconds:g} seconds. Ask for fewer tokens.",
                status=408, code="timeout", kind="timeout_error",
            ) from None  # fmt: skip
        finally:
            for text in texts:
                text.cancelled = True
            # Both the scoring and the writing of a prompt count its tokens.
            tally.prompt = max(tally.prompt, sum(text.prompt_tokens for text in texts if not text.sample))


def _encoded(prompt: str | tuple[int, ...]) -> dict[str, Any]:
    """Returns the prompt of a text."""
    if isinstance(prompt, str):
        # A lone surrogate, which JSON may hold, is no text.
        return {"prompt": prompt.encode(errors="replace"), "prompt_ids": None}
    # The engine reads [BOS] by itself.
    begins = prompt[:1] == (BOS,)
    return {"prompt": b"", "prompt_ids": prompt[1:] if begins else prompt, "begins": begins}


def _new_texts(request: CompletionRequest) -> list[QueuedText]:
    """Returns the texts to write; equal prompts are continued differently, as by `textgen generate`."""
    prompts = [prompt for prompt in request.prompts for _ in range(request.samples)]
    numbers = sample_numbers([repr(prompt).encode(errors="replace") for prompt in prompts])
    return [
        QueuedText(
            **_encoded(prompt), config=request.config, sample=number, top=request.logprobs, by_pieces=request.stream,
            scored=False,
        )
        for prompt, number in zip(prompts, numbers, strict=True)
    ]  # fmt: skip


def _scored_texts(request: CompletionRequest) -> list[QueuedText]:
    return [
        QueuedText(
            **_encoded(prompt), config=request.config, sample=0, top=request.logprobs, by_pieces=False, scored=True
        )
        for prompt in request.prompts
    ]
