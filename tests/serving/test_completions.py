"""The official client of the dialect, unchanged, against a real server."""

import concurrent.futures

import openai
import pytest

from tests.serving.conftest import Serve, Served, ask, events
from textgen.config import BOS, GenerationConfig

SETTINGS = {"max_tokens": 20, "temperature": 0.8, "seed": 5}


@pytest.fixture(scope="module")
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def _config(**settings) -> GenerationConfig:
    return GenerationConfig(tokens=20, temperature=0.8, seed=5, echo=False, **settings)


def test_the_same_seed_writes_the_text_of_generate(client: openai.OpenAI, served: Served):
    assert [model.id for model in client.models.list()] == ["letters"]
    answer = client.completions.create(model="letters", prompt=["ab", "é z"], n=2, **SETTINGS)
    expected = served.writer.write(["ab", "é z"], _config(), samples=2)
    assert [choice.text for choice in answer.choices] == [found.text for found in expected]
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert {choice.finish_reason for choice in answer.choices} == {"length"}
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 80)


def test_a_stream_is_the_same_text_in_pieces(client: openai.OpenAI, served: Served):
    texts, pieces = ["", ""], 0
    settings = {**SETTINGS, "stop": ["ab", "q"], "logprobs": 2}
    stream = client.completions.create(
        model="letters", prompt="ab", n=2, stream=True, stream_options={"include_usage": True}, **settings
    )
    for event in stream:
        for choice in event.choices:
            texts[choice.index] += choice.text
            pieces += 1
    whole = client.completions.create(model="letters", prompt="ab", n=2, **settings)
    expected = served.writer.write(["ab"], _config(stop=("ab", "q")), samples=2)
    assert texts == [found.text for found in expected] == [choice.text for choice in whole.choices]
    assert pieces > 2
    assert event.usage.completion_tokens == whole.usage.completion_tokens


def test_log_probabilities_are_those_of_score(client: openai.OpenAI, served: Served):
    answer = client.completions.create(model="letters", prompt="ab", logprobs=3, echo=True, **SETTINGS)
    (choice,) = answer.choices
    found = choice.logprobs
    (score,) = served.scorer.scores([choice.text])
    assert found.tokens == list(score.tokens) == list(choice.text)
    assert found.token_logprobs == pytest.approx(list(score.log_probabilities), abs=1e-4)
    assert found.text_offset == list(range(22))
    for token, value, best in zip(found.tokens, found.token_logprobs, found.top_logprobs, strict=True):
        assert 3 <= len(best) <= 4
        assert best[token] == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(("max_tokens", "by_ids"), [(0, False), (1, True)])
def test_the_requests_of_lm_eval_are_scored_as_by_score(address: str, served: Served, max_tokens: int, by_ids: bool):
    # What lm-eval's local-completions sends for loglikelihoods: context and continuation, of which it scores the end.
    texts = ["the sea was ", "a whale"]
    ids = [[int(i) for i in row] for row in served.model.preprocessor.encode(texts).to_list()]
    body = {
        "model": "letters", "prompt": ids if by_ids else texts, "temperature": 0, "max_tokens": max_tokens,
        "logprobs": 1, "seed": 1234, "echo": True,
    }  # fmt: skip
    choices = ask(f"{address}/v1/completions", body).json["choices"]
    for choice, text, score in zip(choices, texts, served.scorer.scores(texts), strict=True):
        found = choice["logprobs"]
        values, best = found["token_logprobs"], found["top_logprobs"]
        assert values[: len(text)] == pytest.approx(list(score.log_probabilities), abs=1e-4)
        assert len(values) == len(found["tokens"]) == len(text) + max_tokens
        assert choice["text"][: len(text)] == text
        assert choice["finish_reason"] == "length"
        # It tells by this whether a continuation is the likeliest one.
        assert all(values[i] == max(best[i].values()) for i in range(len(text), len(text) + max_tokens))


def test_a_prompt_of_ids_may_begin_with_the_beginning_of_a_document(address: str, served: Served):
    # So lm-eval scores a text without a context: that of [BOS], which is one token.
    ids = [BOS, *(int(i) for i in served.model.preprocessor.encode(["whale"]).to_list()[0])]
    body = {"model": "letters", "prompt": [ids], "max_tokens": 1, "logprobs": 1, "echo": True, "temperature": 0}
    reply = ask(f"{address}/v1/completions", body).json
    (choice,), (score,) = reply["choices"], served.scorer.scores(["whale"])
    found = choice["logprobs"]
    assert found["token_ids"][:6] == ids and found["tokens"][0] == "" and found["token_logprobs"][0] is None
    assert found["top_logprobs"][0] is None
    assert found["token_logprobs"][1:6] == pytest.approx(list(score.log_probabilities), abs=1e-4)
    assert len(found["tokens"]) == 7 and choice["text"].startswith("whale")
    assert reply["usage"]["prompt_tokens"] == 6


def test_biases_and_penalties_reach_the_sampler(client: openai.OpenAI, served: Served):
    (number,) = served.model.preprocessor.encode(["q"]).flat_values.numpy()
    settings = {"max_tokens": 4, "temperature": 0, "logit_bias": {str(number): 100}}
    answer = client.completions.create(model="letters", prompt="a", **settings)
    assert answer.choices[0].text == "qqqq"
    answer = client.completions.create(model="letters", prompt="a", frequency_penalty=100, **settings)
    assert answer.choices[0].text[0] == "q" and answer.choices[0].text[2] != "q"


def test_requests_at_the_same_time_write_what_each_writes_alone(client: openai.OpenAI):
    kinds = ({"stop": ["e"]}, {"presence_penalty": 1.0}, {})

    def write(number: int) -> str:
        prompt, settings = "ab"[: number % 3], kinds[number % 3]
        answer = client.completions.create(
            model="letters", prompt=prompt, max_tokens=5 + 7 * number, seed=number, **settings
        )
        return answer.choices[0].text

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(write, range(8)))
    assert found == [write(number) for number in range(8)]


def test_too_many_waiting_texts_are_refused(client: openai.OpenAI):
    def write(_: int) -> int:
        try:
            client.completions.create(model="letters", prompt="a", n=60, max_tokens=400)
        except openai.RateLimitError as error:
            assert "Too many requests wait" in str(error)
            return 429
        return 200

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert set(pool.map(write, range(6))) == {200, 429}


def test_an_answer_that_takes_too_long_is_ended(serve: Serve, served: Served):
    address = serve(seconds=0.2)
    body = {"model": "letters", "prompt": "a", "max_tokens": 100_000}
    reply = ask(f"{address}/v1/completions", body)
    assert (reply.status, reply.json["error"]["code"]) == (408, "timeout")
    last = events(ask(f"{address}/v1/completions", {**body, "stream": True}))[-1]
    assert last["error"]["code"] == "timeout"
    # Nobody waits for these texts any more.
    assert ask(f"{address}/v1/completions", {**body, "max_tokens": 3}).status == 200
