import pytest

from textgen import Run


@pytest.mark.parametrize("network", ["run", "causal"])
def test_continuations_streams_and_scores_agree(network: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(network)
    text = run.generate("abc", tokens=6, seed=3, top_p=0.9)
    first, second = run.continuations("abc", samples=2, tokens=6, seed=3, top_p=0.9)
    assert first.text == text == "".join(run.stream("abc", tokens=6, seed=3, top_p=0.9))
    assert run.generate("abc", samples=2, tokens=6, seed=3, top_p=0.9) == [text, second.text]
    assert first.text == "abc" + "".join(first.tokens) and first.reason == "length"
    score = run.score(text)
    assert score.tokens == ("a", "b", "c", *first.tokens)
    assert score.log_probabilities[3:] == pytest.approx(first.log_probabilities, abs=1e-5)
    assert run.score([text, text]) == [score, score]
