import importlib.util
import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import textgen
from textgen import Run
from textgen.errors import UserError


def test_load_run_refuses_another_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run"):
        textgen.load_run(tmp_path)


def test_generate_gives_a_text_for_a_text_and_a_list_for_a_list(run: Run) -> None:
    text = run.generate("abc", tokens=6, seed=3)
    assert text.startswith("abc") and len(text) == 9
    assert run.generate(["abc"], tokens=6, seed=3) == [text]
    assert len(run.generate(["", "ab", "a"], tokens=2)) == 3
    assert run.generate([]) == []


def test_generate_is_reproducible_by_its_seed(run: Run) -> None:
    assert run.generate("a", seed=1) == run.generate("a", seed=1) != run.generate("a", seed=2)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"tokens": 0}, "tokens is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_generate_refuses_what_is_out_of_range(run: Run, argument: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run.generate("a", **argument)


@pytest.mark.parametrize("network", ["run", "causal"])
def test_next_token_probabilities_are_those_of_the_model(network: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(network)
    found = run.next_token("abc", top=100)
    probabilities = [p for _, p in found]
    assert len(found) == run.config.vocabulary_size
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    logits = run.model(np.array([[2, 4, 5, 6, 0]], np.int32))
    expected = tf.nn.softmax(logits[0] if network == "run" else logits[0, 3]).numpy()
    assert dict(found)["d"] == pytest.approx(expected[7], rel=1e-5)


def test_next_token_takes_the_likeliest(run: Run) -> None:
    assert run.next_token("abc", top=3) == run.next_token("abc", top=100)[:3]
    assert run.next_token("abc", top=1, temperature=1e-4)[0].probability > 0.9


@pytest.mark.parametrize("argument", [{"top": 0}, {"temperature": 0.0}])
def test_next_token_refuses_what_is_out_of_range(run: Run, argument: dict[str, float]) -> None:
    with pytest.raises(UserError, match="it must be"):
        run.next_token("a", **argument)


def test_history_is_a_table(run: Run) -> None:
    history = run.history
    assert len({len(column) for column in history.values()}) == 1
    assert history["step"] == sorted(history["step"]) and len(history["step"]) > 1
    assert all(isinstance(value, (int, float)) for column in history.values() for value in column)


@pytest.mark.skipif(not importlib.util.find_spec("pandas"), reason="pandas is not installed")
def test_history_is_a_data_frame(run: Run) -> None:
    import pandas

    assert pandas.DataFrame(run.history)["validation_loss"].notna().all()


def test_plot_is_a_figure_that_a_notebook_shows(run: Run) -> None:
    figure = run.plot()
    assert [axis.get_title() for axis in figure.axes][1:] == ["accuracy", "perplexity"]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_the_model_is_a_plain_keras_model(copied: Path, data: Path, tmp_path: Path) -> None:
    run = textgen.load_run(copied)
    before = run.next_token("abc", top=100)
    run.model.summary(print_fn=lambda *_, **__: None)
    run.model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    run.model.fit(textgen.read_pairs(data, batch_size=8, seed=0), epochs=2, verbose=0)
    x, y = next(textgen.read_pairs(data, batch_size=64).as_numpy_iterator())
    run.model.fit(x, y, batch_size=8, verbose=0)
    assert run.next_token("abc", top=100) != before
    run.model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").count_params() == run.model.count_params()


def test_the_preprocessor_encodes_and_decodes(run: Run) -> None:
    ids = run.preprocessor.encode(["abc", "de"])
    assert ids.to_list() == [[4, 5, 6], [7, 8]]
    assert run.preprocessor.decode(ids).numpy().tolist() == [b"abc", b"de"]


def test_a_run_whose_tokens_are_exchanged_is_neither_loaded_nor_resumed(copied: Path, data: Path):
    path = copied / "vocabulary.jsonl"
    first, second, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([second, first, *rest]))
    for use in (lambda: textgen.load_run(copied), lambda: textgen.train(data, copied, resume=True, epochs=3)):
        with pytest.raises(UserError, match=r"vocabulary\.jsonl is not the vocabulary that the model was"):
            use()


def test_a_vocabulary_that_changes_after_the_run_is_loaded_is_noticed(copied: Path):
    loaded = textgen.load_run(copied)
    (copied / "vocabulary.jsonl").write_text('["a", 1]\n')
    with pytest.raises(UserError, match="its number of lines is 1; it must be"):
        loaded.generate("a", tokens=1)
