"""The addresses of the server."""

import hmac
import json
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from textgen.serving import run_files, tokenization
from textgen.serving.completion_request import RequestError, json_object, parse_request
from textgen.serving.completions import Completions, ServedModel
from textgen.serving.prometheus import Metrics
from textgen.serving.queued_text import EngineError

MAX_BODY_BYTES = 8 << 20
"""Maximum size of the body of a request."""

_MAX_DROPPED_BYTES = 8 * MAX_BODY_BYTES

_Handler = Callable[[Request], Awaitable[Response]]
_Conversion = Callable[[ServedModel, Mapping[str, Any]], dict[str, Any]]

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Site:
    """Handlers of all addresses."""

    def __init__(self, models: Mapping[str, ServedModel], completions: Completions, metrics: Metrics, api_key: str):
        """Makes the handlers.

        Args:
            models: the models by their names.
            completions: answers requests.
            metrics: what `/metrics` shows.
            api_key: key that requests must have, except for the page, health and metrics; empty for none.
        """
        self._models, self._completions, self._metrics, self._api_key = models, completions, metrics, api_key

    def app(self) -> Starlette:
        """Returns the application."""
        routes = [
            # What is asked most comes first, since each address is compared with them one by one.
            Route("/v1/completions", self.guarded(self.complete), methods=["POST"]),
            Route("/", self.page),
            Route("/health", self.health),
            Route("/metrics", self.show_metrics),
            Route("/v1/models", self.guarded(self.list_models)),
            Route("/v1/models/{name:path}", self.guarded(self.show_model)),
            Route("/v1/runs/{name:path}", self.guarded(self.show_run)),
            Route("/tokenizer_info", self.guarded(self.show_tokenizer)),
            Route("/tokenize", self.guarded(self.convert(tokenization.tokenize)), methods=["POST"]),
            Route("/detokenize", self.guarded(self.convert(tokenization.detokenize)), methods=["POST"]),
        ]
        handlers = {HTTPException: _refused_address, RequestError: _refused, Exception: _failed}
        return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]

    def guarded(self, handler: _Handler) -> _Handler:
        """Returns a handler that demands the API key, and is counted."""

        async def handle(request: Request) -> Response:
            begun, status = time.monotonic(), 500
            try:
                self._require_key(request)
                response = await handler(request)
                status = response.status_code
            except RequestError as error:
                status = error.status
                raise
            finally:
                path = "/".join(request.url.path.split("/")[:3])
                self._metrics.count("textgen_requests_total", f'path="{path}",status="{status}"')
                self._metrics.observe("textgen_response_start_seconds", time.monotonic() - begun)
            return response

        return handle

    async def page(self, request: Request) -> Response:
        """Returns the page."""
        content = resources.files("textgen.serving").joinpath("page.html").read_text(encoding="utf-8")
        return HTMLResponse(content, headers=_PAGE_HEADERS)

    async def health(self, request: Request) -> Response:
        """Says that the server answers."""
        return JSONResponse({"status": "ok"})

    async def show_metrics(self, request: Request) -> Response:
        """Returns the metrics."""
        return PlainTextResponse(self._metrics.text(), media_type="text/plain; version=0.0.4")

    async def list_models(self, request: Request) -> Response:
        """Returns all models."""
        return JSONResponse({"object": "list", "data": [_model(model) for model in self._models.values()]})

    async def show_model(self, request: Request) -> Response:
        """Returns one model."""
        return JSONResponse(_model(self._model(request)))

    async def show_run(self, request: Request) -> Response:
        """Returns the curves and samples of a run."""
        return JSONResponse(run_files.read(self._model(request).path))

    async def show_tokenizer(self, request: Request) -> Response:
        """Returns what is to be known of the tokenizer of the first model."""
        return JSONResponse(tokenization.describe(self._named(None)))

    def convert(self, conversion: _Conversion) -> _Handler:
        """Returns a handler that converts texts to ids or back, with the model that is named, or the first."""

        async def handle(request: Request) -> Response:
            values = json_object(await _body(request))
            model = self._named(values.get("model"))
            return JSONResponse(await run_in_threadpool(conversion, model, values))

        return handle

    async def complete(self, request: Request) -> Response:
        """Answers a request for completions, as one object or as a stream of server-sent events."""
        asked = parse_request(await _body(request))
        events = self._completions.events(asked)
        if not asked.stream:
            return JSONResponse(await self._completions.whole(asked, request.is_disconnected))
        # The first event comes before the headers, so that a refusal has its own status.
        first = await anext(events)
        return StreamingResponse(_lines(first, events), media_type="text/event-stream", headers=_STREAM_HEADERS)

    def _model(self, request: Request) -> ServedModel:
        return self._named(request.path_params["name"])

    def _named(self, name: Any) -> ServedModel:
        """Returns the model of a name, the first one for None."""
        if name is None:
            return next(iter(self._models.values()))
        if not isinstance(name, str) or name not in self._models:
            raise RequestError(
                f"The model {name!r} does not exist; there are: {', '.join(self._models)}.",
                status=404, param="model", code="model_not_found",
            )  # fmt: skip
        return self._models[name]

    def _require_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        # Headers are read as Latin-1, and clients send UTF-8.
        expected = self._api_key.encode(errors="surrogateescape")
        if expected and not hmac.compare_digest(given.encode("latin-1"), expected):
            raise RequestError(
                "Incorrect API key provided. Give it in the header `Authorization: Bearer KEY`.",
                status=401, code="invalid_api_key",
            )  # fmt: skip


_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


async def _lines(first: dict[str, Any], events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """Yields server-sent events; an error after the first one is an event too."""
    yield _event(first)
    try:
        async for event in events:
            yield _event(event)
    except RequestError as error:
        yield _event(error.body())
    except Exception as error:
        yield _event(_internal(error).body())
    yield "data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


async def _body(request: Request) -> bytes:
    """Returns the body of a request; only JSON, which no page of another origin can send without being asked."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestError(f"Content-Type is {kind!r}; it must be application/json.", status=415)
    content, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            # What is too much is read and dropped, so that a client that still sends can read the answer.
            content += chunk if size <= MAX_BODY_BYTES else b""
            if size > _MAX_DROPPED_BYTES:
                break
    except ClientDisconnect:
        raise RequestError("The client has gone.") from None
    if size > MAX_BODY_BYTES:
        raise RequestError(
            f"The body has more than {MAX_BODY_BYTES:,} bytes. Send fewer prompts at once.", status=413
        )
    return bytes(content)


def _model(model: ServedModel) -> dict[str, Any]:
    config = model.preprocessor.config
    return {
        "id": model.name,
        "object": "model",
        "created": model.created,
        "owned_by": "textgen",
        "tokenizer": config.tokenizer,
        "vocabulary_size": model.preprocessor.vocabulary.size,
    }


async def _refused(request: Request, error: RequestError) -> Response:
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}}.get(error.status)
    return JSONResponse(error.body(), status_code=error.status, headers=headers)


async def _refused_address(request: Request, error: HTTPException) -> Response:
    message = f"{request.method} {request.url.path} is not an address of this server."
    refused = RequestError(
        message, status=error.status_code, code="unknown_url" if error.status_code == 404 else None
    )
    return JSONResponse(refused.body(), status_code=error.status_code, headers=error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    return await _refused(request, _internal(error))


def _internal(error: Exception) -> RequestError:
    """Returns what the client is told of an error, which is printed for the operator."""
    cause, is_printed = error, False
    if isinstance(error, EngineError):
        cause, is_printed, error.is_printed = error.cause, error.is_printed, True
    if not is_printed:
        traceback.print_exception(cause, file=sys.stderr)
    # What went wrong may name files of this machine.
    name = type(cause).__name__
    return RequestError(f"The server had an error ({name}) while it answered.", status=500, kind="server_error")
