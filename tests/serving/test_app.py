import json

import pytest

from tests.serving.conftest import Serve, ask
from textgen.serving import app
from textgen.serving.queued_text import EngineError


@pytest.mark.parametrize(
    ("body", "status", "param", "words"),
    [
        (b"{", 400, None, "could not parse the JSON body"),
        (b"[" * 100_000, 400, None, "could not parse the JSON body"),
        (b"\xff\xfe", 400, None, "could not parse the JSON body"),
        ([], 400, None, "must be a JSON object"),
        ({}, 400, "model", "There is no model"),
        ({"model": "x"}, 404, "model", "does not exist; there are: letters"),
        ({"temperature": -1}, 400, "temperature", "temperature is -1; it must be a number of at least 0"),
        ({"temperature": float("nan")}, 400, "temperature", "at least 0"),
        ({"temperature": "hot"}, 400, "temperature", "at least 0"),
        ({"top_p": 0}, 400, "top_p", "above 0, and at most 1"),
        ({"top_k": -1}, 400, "top_k", "from 0 to 2,147,483,647"),
        ({"top_k": 2**40}, 400, "top_k", "from 0 to 2,147,483,647"),
        ({"temperature": [1.0] * 10_001}, 400, "temperature", "it must have at most 10,000"),
        ({"max_tokens": -1}, 400, "max_tokens", "from 0 to 1,000,000"),
        ({"max_tokens": 1.5}, 400, "max_tokens", "from 0 to 1,000,000"),
        ({"max_tokens": 5, "min_tokens": 6}, 400, "min_tokens", "must be at most tokens"),
        ({"n": 64, "prompt": ["a", "b", "c"]}, 400, None, "192 texts; 128 are the most"),
        ({"n": True}, 400, "n", "from 1 to 128"),
        ({"best_of": 3}, 400, "best_of", "must equal n"),
        ({"prompt": []}, 400, "prompt", "bytes, token ids, or up to 128"),
        ({"prompt": [0]}, 400, "prompt", "bytes, token ids, or up to 128"),
        ({"prompt": [32]}, 400, "prompt", "ids are below 32"),
        ({"prompt": ["a", 5]}, 400, "prompt", "bytes, token ids, or up to 128"),
        ({"prompt": "a" * 1_100_000}, 400, "prompt", "at most 1,048,576 bytes"),
        ({"prompt": "a" * 10_000_000}, 413, None, "more than 8,388,608 bytes"),
        ({"stop": [""]}, 400, "stop", "at least one character"),
        ({"stop": 5}, 400, "stop", "a list of these"),
        ({"logprobs": 21}, 400, "logprobs", "from 0 to 20"),
        ({"logit_bias": {"x": 1}}, 400, "logit_bias", "by token id"),
        ({"logit_bias": {"77": 1}}, 400, "logit_bias", "ids are from 0 to 31"),
        ({"suffix": "end"}, 400, "suffix", "text cannot be inserted"),
        ({"stream": "yes"}, 400, "stream", "true or false"),
        ({"temprature": 1}, 400, "temprature", "Unrecognized request argument supplied: temprature"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(address: str, body, status: int, param: str | None, words: str):
    if isinstance(body, dict) and body:
        body = {"model": "letters", "max_tokens": 1, **body}
    reply = ask(f"{address}/v1/completions", body)
    error = reply.json["error"]
    assert reply.status == status
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert words in error["message"] and "Traceback" not in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    if isinstance(body, dict) and body and "stream" not in body:
        assert ask(f"{address}/v1/completions", {**body, "stream": True}).status == status


def test_other_addresses_methods_and_kinds_of_content_are_refused(address: str):
    assert ask(f"{address}/v1/chat/completions", {}).json["error"]["code"] == "unknown_url"
    reply = ask(f"{address}/v1/completions")
    assert (reply.status, reply.json["error"]["type"]) == (405, "invalid_request_error")
    body = json.dumps({"model": "letters"}).encode()
    assert ask(f"{address}/v1/completions", body, Content_Type="text/plain").status == 415
    assert ask(f"{address}/v1/models/none").status == 404
    assert ask(f"{address}/v1/models/letters").json["vocabulary_size"] == 32


def test_a_key_is_demanded_where_one_is_set(serve: Serve):
    address = serve(api_key="sécret")
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        reply = ask(f"{address}/v1/models", **headers)
        assert (reply.status, reply.json["error"]["code"]) == (401, "invalid_api_key")
        assert ask(f"{address}/v1/completions", {"model": "letters"}, **headers).status == 401
        assert ask(f"{address}/v1/runs/letters", **headers).status == 401
    assert ask(f"{address}/v1/models", Authorization="Bearer s\xc3\xa9cret").status == 200
    assert ask(f"{address}/health").json == {"status": "ok"}


def test_no_page_of_another_origin_may_read_answers(address: str):
    reply = ask(f"{address}/v1/models", Origin="https://example.org")
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_metrics_and_the_page(address: str):
    ask(f"{address}/v1/completions", {"model": "letters", "prompt": "abc", "max_tokens": 2})
    text = ask(f"{address}/metrics").body.decode()
    assert 'textgen_requests_total{path="/v1/completions",status="200"}' in text
    assert 'textgen_generated_tokens_total{model="letters"}' in text
    reply = ask(f"{address}/")
    assert reply.body.lower().startswith(b"<!doctype html>")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    # Nothing of the page comes from elsewhere.
    assert b"https://" not in reply.body and b"http://" not in reply.body.replace(b"http://www.w3.org", b"")


def test_an_error_is_printed_for_the_operator_and_not_told_to_the_client(capsys: pytest.CaptureFixture):
    told = str(app._internal(OSError("/secret/file is gone")).body())
    assert "(OSError)" in told and "secret" not in told
    assert "OSError: /secret/file is gone" in capsys.readouterr().err


def test_an_error_of_the_engine_is_printed_once_for_all_its_texts(capsys: pytest.CaptureFixture):
    error = EngineError(MemoryError("too little"))
    assert all("(MemoryError)" in str(app._internal(error).body()) for _ in range(3))
    assert capsys.readouterr().err.count("MemoryError: too little") == 1
