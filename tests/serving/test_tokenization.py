import pytest

from tests.serving.conftest import Serve, Served, ask
from textgen.config import BOS, EOS


def test_texts_become_ids_and_ids_texts(address: str, served: Served):
    info = ask(f"{address}/tokenizer_info").json
    assert (info["bos_token"], info["eos_token"], info["vocab_size"]) == ("[BOS]", "[EOS]", 32)
    ids = served.model.preprocessor.encode(["abé "]).to_list()[0]
    assert ask(f"{address}/tokenize", {"prompt": "abé ", "add_special_tokens": False}).json["tokens"] == ids
    found = ask(f"{address}/tokenize", {"model": "letters", "prompt": "abé "}).json
    assert (found["tokens"], found["count"]) == ([BOS, *ids], 5)
    for name, number in (("bos_token", BOS), ("eos_token", EOS)):
        body = {"prompt": info[name], "add_special_tokens": False}
        assert ask(f"{address}/tokenize", body).json["tokens"] == [number]
    assert ask(f"{address}/detokenize", {"tokens": [BOS, *ids]}).json == {"prompt": "abé "}
    assert ask(f"{address}/detokenize", {"tokens": []}).json == {"prompt": ""}


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("tokenize", {}, "prompt"),
        ("tokenize", {"prompt": "a" * 1_100_000}, "prompt"),
        ("tokenize", {"prompt": "a", "add_special_tokens": 1}, "add_special_tokens"),
        ("tokenize", {"prompt": "a", "model": "none"}, "model"),
        ("tokenize", {"prompt": "a", "model": []}, "model"),
        ("detokenize", {"tokens": "a"}, "tokens"),
        ("detokenize", {"tokens": [32]}, "tokens"),
        ("detokenize", {"tokens": [True]}, "tokens"),
    ],
)
def test_what_is_not_allowed_is_told(address: str, path: str, body: dict, param: str):
    reply = ask(f"{address}/{path}", body)
    assert reply.status in (400, 404) and reply.json["error"]["param"] == param


def test_a_key_is_demanded_for_ids_too(serve: Serve):
    address = serve(api_key="k")
    assert ask(f"{address}/tokenizer_info").status == 401
    assert ask(f"{address}/tokenize", {"prompt": "a"}, Authorization="Bearer k").status == 200
