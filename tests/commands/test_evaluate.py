import dataclasses
import json
import math
import shutil
from pathlib import Path

import pytest

from textgen.cli import main
from textgen.commands import evaluate
from textgen.config import GeneratedTextConfig
from textgen.training.text_quality.comparison import TextFigures, TextQuality


def test_a_run_is_scored_on_the_test_split_beside_the_baselines(made: Path, data: Path, capfd):
    assert main(["evaluate", str(made), "--data", str(data)]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    head, columns, model, *baselines, unknown = out.splitlines()
    assert head == "test: 8 targets, each once; context up to 5 tokens, 2.6 on average"
    assert columns.split("  ")[-1].strip() == "accuracy"
    assert (model.split()[0], len(model.split())) == ("model", 5)
    assert [line.split()[0] for line in baselines] == ["unigram", "bigram", "trigram"]
    assert {len(line.split()) for line in baselines} == {4}
    # Figures stand under the ends of their columns' names.
    assert {line.rindex(line.split()[3]) + 5 for line in (model, *baselines)} == {columns.index("character") + 9}
    assert unknown == "unknown tokens: 16.67%"


def test_as_json_every_figure_has_its_name(made: Path, data: Path, capfd):
    assert main(["evaluate", str(made), "--data", str(data), "--split", "validation", "--json"]) == 0
    values = json.loads(capfd.readouterr().out)
    assert (values["split"], values["pairs"], values["context_tokens"]) == ("validation", 10, 5)
    assert values["perplexity"] == pytest.approx(math.exp(values["loss"]))
    assert values["bits_per_character"] == pytest.approx(values["loss"] * 10 / math.log(2) / 8)
    assert [baseline["name"] for baseline in values["baselines"]] == ["unigram", "bigram", "trigram"]
    for baseline in values["baselines"]:
        assert baseline["perplexity"] == pytest.approx(math.exp(baseline["loss"]))
        assert baseline["bits_per_character"] == pytest.approx(baseline["loss"] * 10 / math.log(2) / 8)
    assert values["mean_context_tokens"] == 3.3
    assert 0 <= values["accuracy"] <= 1
    assert values["unknown_rate"] == 0


def test_on_the_training_split_there_is_the_unigram_alone(made: Path, data: Path, capfd):
    assert main(["evaluate", str(made), "--data", str(data), "--split", "train"]) == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()[2:-1]] == ["model", "unigram"]


def test_on_a_dataset_at_a_url_the_figures_are_those_of_one_in_a_folder(made: Path, data: Path, url: str, capfd):
    told = []
    for dataset in (str(data), url):
        assert main(["evaluate", str(made), "--data", dataset]) == 0
        told.append(capfd.readouterr())
    assert told[0] == told[1]


def test_figures_that_there_are_not_are_dashes(made: Path, strided_data: Path, capfd):
    assert main(["evaluate", str(made), "--data", str(strided_data)]) == 0
    head, _, *scores, _ = capfd.readouterr().out.splitlines()
    assert head.startswith("test: 5 targets")
    assert [line.split()[3] for line in scores] == ["-"] * 4


def test_a_folder_that_is_no_run_is_refused(refused, data: Path, tmp_path: Path):
    message = refused("evaluate", data, "--data", data)
    assert f"{data} is not a run" in message
    assert "textgen train" in message
    assert "is not there" in refused("evaluate", tmp_path / "nowhere", "--data", data)


def test_a_run_without_a_checkpoint_is_refused(refused, made: Path, data: Path, tmp_path: Path):
    run = shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns("best"))
    assert "has no checkpoint yet. Continue with `textgen train --resume" in refused("evaluate", run, "--data", data)


def test_a_folder_that_is_no_dataset_is_refused(refused, made: Path, tmp_path: Path):
    assert "is not a dataset" in refused("evaluate", made, "--data", made)
    assert "textgen prepare" in refused("evaluate", made, "--data", tmp_path / "nowhere")


def test_a_dataset_of_another_vocabulary_is_refused(refused, made: Path, other_data: Path):
    message = refused("evaluate", made, "--data", other_data)
    assert f"prepare this text again with --vocabulary {made}/vocabulary.jsonl." in message


def test_a_whole_dataset_is_one_test_text(made: Path, data: Path, capfd):
    assert main(["evaluate", str(made), "--data", str(data), "--split", "all"]) == 0
    head, _, *scores, _ = capfd.readouterr().out.splitlines()
    assert head.startswith("all: 54 targets, each once")
    assert [line.split()[0] for line in scores] == ["model"]


def test_an_unknown_split_is_refused(refused, made: Path, data: Path):
    message = refused("evaluate", made, "--data", data, "--split", "dev")
    assert "split is 'dev'; it must be one of: train, validation, test, all." in message


def test_a_damaged_shard_is_named_in_one_line(refused, made: Path, data: Path, tmp_path: Path):
    damaged = shutil.copytree(data, tmp_path / "data")
    (damaged / "test-000000.tfrecord").unlink()
    message = refused("evaluate", made, "--data", damaged)
    assert "test-000000.tfrecord cannot be read" in message


def test_an_lstm_is_evaluated_with_a_neural_cache(make_dataset, make_run, tmp_path: Path, capfd):
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6, 7, 8]], test=[[7, 8, 9, 1], [12, 13]], layout="spans")
    run = make_run(tmp_path / "run", network="lstm")
    cache = ["--neural-cache", "10", "--neural-cache-sharpness", "5", "--neural-cache-weight", "0.5"]
    assert main(["evaluate", str(run), "--data", str(data), *cache]) == 0
    _, _, model, cached, *_ = capfd.readouterr().out.splitlines()
    assert (model.split()[0], cached[:11]) == ("model", "with cache ")
    assert len(cached) == len(model)
    assert cached.split()[2] != model.split()[1]

    assert main(["evaluate", str(run), "--data", str(data), *cache, "--json"]) == 0
    values = json.loads(capfd.readouterr().out)["neural_cache"]
    assert values["tokens"] == 10
    assert f"{values['loss']:.4f}" == cached.split()[2]
    assert values["perplexity"] == pytest.approx(math.exp(values["loss"]))
    assert values["bits_per_character"] == pytest.approx(values["loss"] * 8 / math.log(2) / 6)


def test_a_bilstm_has_no_neural_cache(refused, made: Path, data: Path):
    message = refused("evaluate", made, "--data", data, "--neural-cache", "10")
    assert "has no neural cache. Leave --neural-cache out, or train --network lstm" in message


def test_a_negative_neural_cache_is_an_error(refused, made: Path, data: Path):
    message = refused("evaluate", made, "--data", data, "--neural-cache", "-1")
    assert "neural cache is -1; it must be at least 0" in message


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("--memory", "--neural-cache"),
        ("--memory-sharpness", "--neural-cache-sharpness"),
        ("--memory-share", "--neural-cache-weight"),
    ],
)
def test_former_options_work_and_say_the_new_names(made: Path, data: Path, capfd, former: str, now: str):
    assert main(["evaluate", str(made), "--data", str(data), former, "-1"]) == 2
    told, error = capfd.readouterr().err.splitlines()
    assert told == f"{former} is now called {now}; the old name will be removed in the next version."
    assert error.startswith(f"error: {now.removeprefix('--').replace('-', ' ')} is -1")


def test_an_lstm_adapts_to_what_it_reads_with_the_step_sizes_of_the_run(
    make_dataset, make_run, tmp_path: Path, capfd
):
    document = [4, 5, 6, 7] * 12
    data = make_dataset(tmp_path / "data", train=[document], validation=[document], test=[document], layout="spans")
    run = make_run(tmp_path / "run", network="lstm")
    assert main(["evaluate", str(run), "--data", str(data), "--tune-adaptation", "--adapt-tokens", "4"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 9 and lines[-1].startswith("saved")
    assert json.loads((run / "adaptation.json").read_text())["rate"] > 0
    options = ["--adapt", "--adapt-tokens", "4", "--neural-cache", "9", "--json"]
    assert main(["evaluate", str(run), "--data", str(data), *options]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [adapted["tokens"] for adapted in found["adapted"]] == [0, 9]
    assert found["adapted"][0]["loss"] < found["loss"]


def test_generated_text_is_compared_with_held_out_text(trained: Path, data: Path, capfd):
    options = ["--generation", "--generation-texts", "5", "--generation-tokens", "6", "--generation-seed", "3"]
    assert main(["evaluate", str(trained), "--data", str(data), *options, "--json"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    values = json.loads(out)["generation"]
    assert values["settings"]["generation_seed"] == 3
    assert 0 < values["written"]["distinct"]["1"] <= 1
    assert set(values["written"]) == set(values["held_out"]) >= {"self_bleu", "repetition", "known_words", "copied"}


def test_generated_and_held_out_text_stand_side_by_side():
    written = TextFigures(
        texts=2, tokens=9, distinct={1: 0.5}, self_bleu={2: None}, repetition={2: 0.25}, known_words=1.0,
        copied={2: 0.125}, longest_copy=3, longest_copy_text="a\x1b" + "b" * 300,
    )  # fmt: skip
    held_out = dataclasses.replace(written, longest_copy=0, longest_copy_text="")
    quality = TextQuality(settings=GeneratedTextConfig(), written=written, held_out=held_out)
    head, columns, *rows = evaluate._quality_table(quality, "test")
    assert head == "2 written texts of 9 tokens, and 2 of test of 9; seed 0"
    assert {len(row) for row in rows[:-2]} == {len(columns)}
    assert [row.split()[-2:] for row in rows[:-2]] == [
        ["50.0%", "50.0%"], ["-", "-"], ["25.0%", "25.0%"], ["100.0%", "100.0%"], ["12.5%", "12.5%"], ["3", "0"]
    ]  # fmt: skip
    assert rows[-2].startswith("longest copy in written: 'a\\\\x1bbbb") and rows[-2].endswith("…'")
    assert rows[-1] == "nothing in test is copied"


def test_settings_of_texts_that_are_not_generated_are_refused(refused, trained: Path, data: Path):
    message = refused("evaluate", trained, "--data", data, "--generation-texts", "5")
    assert "generation texts is 5, and no text is generated. Add --generation" in message


def test_generated_text_is_not_compared_with_the_training_text_itself(refused, trained: Path, data: Path):
    message = refused("evaluate", trained, "--data", data, "--generation", "--split", "train")
    assert "split is train; generated text is compared with held-out text" in message
