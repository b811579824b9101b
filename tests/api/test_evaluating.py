import math
from pathlib import Path

import pytest

from textgen import GeneratedTextConfig, Run
from textgen.errors import UserError


def test_evaluate_measures_a_split(run: Run, data: Path) -> None:
    result = run.evaluate(data, "test")
    assert (result.split, result.pairs) == ("test", 8)
    assert result.perplexity == pytest.approx(math.exp(result.loss))


def test_evaluate_measures_a_neural_cache_too(causal: Run, data: Path) -> None:
    result = causal.evaluate(data.with_name("spans"), "validation", neural_cache=4)
    assert result.neural_cache is not None and result.neural_cache.tokens == 4


def test_a_bilstm_has_no_neural_cache(run: Run, data: Path) -> None:
    with pytest.raises(UserError, match="has no neural cache"):
        run.evaluate(data, neural_cache=4)


def test_evaluate_compares_generated_with_held_out_text(run: Run, data: Path) -> None:
    settings = GeneratedTextConfig(generation=True, generation_texts=6, generation_tokens=8)
    found = run.evaluate(data, "test", generation=settings).generation
    assert found is not None and found.settings == settings
    # The split has two documents, of four tokens and of two.
    assert found.written.texts == found.held_out.texts == 2
    assert found.held_out.tokens <= 6
    assert run.evaluate(data, "test", generation=settings).generation == found


def test_a_split_that_is_not_held_out_is_refused_before_the_evaluation(run: Run, data: Path, monkeypatch) -> None:
    monkeypatch.setattr("textgen.training.evaluation.evaluate", None)
    with pytest.raises(UserError, match="split is all; generated text is compared with held-out text"):
        run.evaluate(data, "all", generation=True)
