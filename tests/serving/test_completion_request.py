"""What is refused is tested by test_app.py."""

import json

from textgen.serving.completion_request import CompletionRequest, parse_request


def _parse(**values) -> CompletionRequest:
    return parse_request(json.dumps({"model": "m", **values}).encode())


def test_defaults_are_those_of_the_dialect_and_null_is_a_default():
    for request in (_parse(), _parse(max_tokens=None, stop=None, logprobs=None, seed=None, logit_bias=None)):
        assert (request.prompts, request.max_tokens, request.samples) == (("",), 16, 1)
        assert (request.logprobs, request.echo, request.stream) == (None, False, False)
        assert (request.config.temperature, request.config.top_p, request.config.tokens) == ((1.0,), 1.0, 16)
    assert _parse().config.seed != _parse().config.seed


def test_prompts_are_texts_or_ids():
    assert _parse(prompt="a").prompts == ("a",)
    assert _parse(prompt=[5, 6]).prompts == ((5, 6),)
    assert _parse(prompt=[[5, 6], [7], "a"]).prompts == ((5, 6), (7,), "a")


def test_settings_of_textgen_are_taken_too():
    config = _parse(top_k=4, min_p=0.1, may_end=True, stop="x", temperature=[1, 0.5], logit_bias={"5": -1}).config
    assert (config.top_k, config.min_p, config.may_end, config.stop) == (4, 0.1, True, ("x",))
    assert (config.temperature, config.logit_bias) == ((1.0, 0.5), {5: -1.0})
    assert _parse(seed=-1).config.seed == 2**31 - 1
