import json
import math
from pathlib import Path

import pytest

from textgen.api.run import load_run
from textgen.cli import main


@pytest.fixture(autouse=True)
def loads_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is loaded and traced once for all commands of a test."""
    loaded = load_run(made)
    monkeypatch.setattr("textgen.api.run.load_run", lambda path: loaded)


def _printed(capfd, *argv: object) -> str:
    assert main(["score", *map(str, argv)]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return out


def test_each_token_has_its_log_probability_and_the_text_its_perplexity(made: Path, tmp_path: Path, capfd):
    (tmp_path / "text.txt").write_text("abca", encoding="utf-8")
    out = _printed(capfd, made, "--text", "abca", "--text-file", tmp_path / "text.txt", "--text", "", "--json")
    first, empty, again = map(json.loads, (line for line in out.splitlines()))
    assert (first["text"], first["tokens"]) == ("abca", ["a", "b", "c", "a"])
    assert all(value < 0 for value in first["log_probabilities"])
    assert first["perplexity"] == pytest.approx(math.exp(-sum(first["log_probabilities"]) / 4), rel=1e-6)
    assert (empty["text"], empty["tokens"], empty["loss"]) == ("", [], None)
    assert again["tokens"] == first["tokens"]
    assert main(["generate", str(made), "--prompt", "ab", "--tokens", "2", "--no-echo", "--json"]) == 0
    written = json.loads(capfd.readouterr().out)
    whole = json.loads(_printed(capfd, made, "--text", "ab" + written["text"], "--json"))
    # What was written has the log-probabilities that it is scored with.
    assert whole["log_probabilities"][2:] == pytest.approx(written["log_probabilities"], abs=1e-4)
    table = _printed(capfd, made, "--text", "abca").splitlines()
    assert [line.split()[1] for line in table[:4]] == first["tokens"]
    assert table[4].endswith(f"perplexity {first['perplexity']:.2f}")


def test_what_cannot_be_scored_is_refused(refused, made: Path, tmp_path: Path):
    (tmp_path / "bytes").write_bytes(b"ab\n\xff")
    message = refused("score", made, "--text-file", tmp_path / "bytes")
    assert "line 2 has the byte 0xff at offset 3, which is not UTF-8 there" in message
    (tmp_path / "large").write_bytes(b"a" * 10_000_000)
    message = refused("score", made, "--text-file", tmp_path / "large")
    assert (
        "a text has 10,000,000 bytes; it must have at most 1,048,576. Divide it, or use `textgen evaluate`" in message
    )
    assert "No such file" in refused("score", made, "--text-file", tmp_path / "none")
