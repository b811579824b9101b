import json
import shutil
from pathlib import Path

import pytest

from textgen.cli import main
from textgen.config import ModelConfig, TextConfig
from textgen.dataset.loading import throughput
from textgen.dataset.loading.throughput import Throughput
from textgen.model import cudnn
from textgen.model.flops import training_flops


def test_as_json_the_accounts_close(data: Path, capfd):
    assert main(["inspect", str(data), "--json"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    values = json.loads(out)
    assert values["documents"] == values["kept"] + sum(values["dropped"].values()) == 9
    assert values["dropped"] == {"empty": 2}
    assert values["kept"] == sum(split["documents"] for split in values["splits"].values())
    for name, split in values["splits"].items():
        assert split["pairs"] == split["tokens"] + split["documents"]
        assert split["bytes"] == (data / f"{name}-000000.tfrecord").stat().st_size
        assert split["unknown_rate"] == split["unknown"] / split["tokens"]
    assert [split["pairs"] for split in values["splits"].values()] == [36, 10, 8]
    assert (values["layout"], values["window"]) == ("pairs", 5)


def test_as_json_the_vocabulary_shows_its_head_and_its_tail(data: Path, capfd):
    assert main(["inspect", str(data), "--json"]) == 0
    vocabulary = json.loads(capfd.readouterr().out)["vocabulary"]
    assert vocabulary["size"] == 16
    counts = [count for _, count in vocabulary["most_frequent"] + vocabulary["least_frequent"]]
    # The tokens are in another order than that of their counts, as those of bpe are.
    assert vocabulary["most_frequent"][0] == ["h", 3]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("layout", ["pairs", "spans"])
@pytest.mark.parametrize(("text", "separator"), [(None, ""), (TextConfig(), " ")])
def test_pairs_are_shown_as_text(make_dataset, tmp_path: Path, capfd, layout: str, text, separator: str):
    settings = {"text": text} if text else {}
    tokens = ["the", "whale", "sea"] if text else ["t", "w", "s"]
    data = make_dataset(
        tmp_path / "data", train=[[4, 5, 1, 6, 4]], tokens=tokens, layout=layout, window=3, **settings
    )
    assert main(["inspect", str(data), "--json"]) == 0
    pairs = json.loads(capfd.readouterr().out)["pairs"]
    the, whale, sea = tokens
    assert pairs[0] == {"x": "[BOS]", "y": the}
    document = ["[BOS]", the, whale, "[UNK]", sea, the, "[EOS]"]
    windows = [(separator.join(document[max(0, p - 3) : p]), document[p]) for p in range(1, len(document))]
    assert len(pairs) >= 3
    assert [(pair["x"], pair["y"]) for pair in pairs if (pair["x"], pair["y"]) not in windows] == []


def test_pairs_of_subwords_are_joined_to_words(make_dataset, tmp_path: Path, capfd):
    text = TextConfig(tokenizer="wordpiece", punctuation="keep")
    tokens = ["the", "wha", "##le"]
    data = make_dataset(tmp_path / "data", train=[[4, 5, 6, 4]], tokens=tokens, window=4, text=text)
    assert main(["inspect", str(data), "--json"]) == 0
    pairs = json.loads(capfd.readouterr().out)["pairs"]
    assert {"x": "[BOS] the whale", "y": "the"} in pairs


def test_as_text_the_accounts_stand_in_a_table(data: Path, capfd):
    assert main(["inspect", str(data)]) == 0
    out = capfd.readouterr().out
    assert "9 documents: 7 kept, dropped: 2 empty" in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    # Documents, characters, tokens, unknown, pairs.
    assert rows["train"][1:6] == ["3", "33", "33", "3.0%", "36"]
    assert rows["test"][1:6] == ["2", "6", "6", "16.7%", "8"]
    assert "16 tokens and 4 reserved ids" in out
    assert "'[BOS]' → 'a'" in out


def test_a_dataset_at_a_url_is_shown_as_one_in_a_folder(data: Path, url: str, capfd):
    shown = []
    for dataset in (str(data), url):
        assert main(["inspect", dataset]) == 0
        shown.append(capfd.readouterr())
    assert shown[0] == shown[1]


def test_a_folder_that_is_no_dataset_is_refused(refused, tmp_path: Path):
    message = refused("inspect", tmp_path)
    assert f"{tmp_path} is not a dataset: it has no manifest.json" in message
    assert "textgen prepare --output" in message
    assert "is not there" in refused("inspect", tmp_path / "nowhere")


def test_a_damaged_manifest_is_refused(refused, data: Path, tmp_path: Path):
    copy = shutil.copytree(data, tmp_path / "data")
    (copy / "manifest.json").write_bytes((data / "manifest.json").read_bytes()[:-50])
    assert "manifest.json is damaged: it is not JSON: " in refused("inspect", copy)


def test_a_damaged_shard_is_named_in_one_line(refused, data: Path, tmp_path: Path):
    copy = shutil.copytree(data, tmp_path / "data")
    with (copy / "train-000000.tfrecord").open("r+b") as file:
        file.truncate(100)
    assert "train-000000.tfrecord (unit 0) differs from the manifest" in refused("inspect", copy)


def test_the_throughput_is_told_beside_what_models_would_take(data: Path, monkeypatch, capfd):
    monkeypatch.setattr(throughput, "measure", lambda data, **settings: Throughput(0.5, 2_000_000.0))
    assert main(["inspect", str(data), "--throughput", "--tflops", "1"]) == 0
    first, _, *rows = capfd.readouterr().out.splitlines()
    assert first.startswith("served      2,000,000 pairs/s of pairs")
    flops = training_flops(ModelConfig(embedding=8, layers=3, units=50), vocabulary_size=20, window=5)
    assert rows[0].split()[-2:] == [f"{1e12 / flops:,.0f}", f"{2e6 * flops / 1e12:.1f}"]


def test_an_accelerator_without_speed_is_an_error(refused, data: Path):
    assert "tflops is 0; it must be above 0." in refused("inspect", data, "--throughput", "--tflops", "0")


@pytest.mark.parametrize(
    "settings", ["units = 4", 'units = 4\nnetwork = "bilstm"\npooling = "attention"\nprecision = "bfloat16"']
)
def test_a_network_that_runs_in_cudnn_is_told(data: Path, tmp_path: Path, capfd, settings: str):
    file = tmp_path / "settings.toml"
    file.write_text(settings)
    assert main(["inspect", str(data), "--check-cudnn", "--config", str(file)]) == 0
    assert capfd.readouterr().out.startswith("every LSTM runs in cuDNN on a GPU")


def test_what_leaves_cudnn_is_told(data: Path, capfd, monkeypatch):
    monkeypatch.setattr(cudnn, "obstacles", lambda model: ["lstm: it is unrolled"])
    assert main(["inspect", str(data), "--check-cudnn", "--preset", "notebook"]) == 1
    assert capfd.readouterr().out == "lstm: it is unrolled\n"


def test_a_network_without_a_check_is_refused(refused, data: Path):
    assert "add --check-cudnn" in refused("inspect", data, "--preset", "char")
