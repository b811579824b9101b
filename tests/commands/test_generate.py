import dataclasses
import io
import json
import os
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from tests.made_networks import MadeNetwork
from textgen import runs
from textgen.api.run import Run, load_run
from textgen.cli import main
from textgen.config import BOS, EOS

LETTERS = set("abcdefghijklmnop")


@pytest.fixture(scope="module")
def loaded(made: Path) -> Run:
    return load_run(made)


@pytest.fixture(autouse=True)
def loads_once(made: Path, loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is loaded and traced once for all tests; a copy of it is loaded by itself."""
    monkeypatch.setattr("textgen.api.run.load_run", lambda path: loaded if path == str(made) else load_run(path))


def _printed(capfd, *argv: object) -> str:
    assert main(["generate", *map(str, argv)]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return out


def test_a_text_goes_on_from_its_prompt_for_100_tokens(made: Path, capfd):
    out = _printed(capfd, made, "--prompt", "abc")
    assert out.startswith("abc")
    assert out.endswith("\n")
    assert len(out) == 3 + 100 + 1
    assert set(out[3:-1]) <= LETTERS


def test_an_empty_line_stands_between_samples_and_the_same_seed_writes_them_again(made: Path, capfd):
    argv = (made, "--tokens", 30, "--samples", 3, "--seed", 4)
    out = _printed(capfd, *argv)
    texts = out.removesuffix("\n").split("\n\n")
    assert [len(text) for text in texts] == [30] * 3
    assert len(set(texts)) == 3
    assert _printed(capfd, *argv) == out
    assert _printed(capfd, *argv[:-1], 5) != out


@pytest.mark.parametrize(
    ("prompt", "printed"),
    [
        ("🐋 كتاب e\u0301\n" + "abcdefghijklmnop" * 3, None),
        # Bytes that were not UTF-8 reach a program as surrogates.
        ("ab\udcffc", "ab?c"),
    ],
)
def test_any_prompt_is_printed_as_it_was_given(made: Path, capfd, prompt: str, printed: str | None):
    out = _printed(capfd, made, "--prompt", prompt, "--tokens", 5, "--temperature", 0)
    assert out.startswith(printed or prompt)
    assert len(out) == len(prompt) + 5 + 1


def test_a_text_may_end_before_its_last_token(made: Path, tmp_path: Path, monkeypatch, capfd):
    copy = shutil.copytree(made, tmp_path / "run")
    monkeypatch.setattr(runs, "load_model", lambda directory, config: MadeNetwork(5, _end))
    assert _printed(capfd, copy, "--prompt", "cc", "--may-end") == "cc\n"
    assert len(_printed(capfd, copy, "--prompt", "cc", "--tokens", 7)) == 2 + 7 + 1


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--temperature", "-1", "temperature is -1.0; it must be finite and at least 0. Use 0"),
        ("--temperature", "nan", "temperature is nan; it must be finite"),
        ("--temperature", "inf", "temperature is inf; it must be finite"),
        ("--tokens", "0", "tokens is 0; it must be from 1 to 1,000,000"),
        ("--tokens", "-5", "tokens is -5; it must be from 1 to 1,000,000"),
        ("--samples", "0", "samples is 0; it must be at least 1"),
        ("--seed", "-1", "seed is -1; it must be from 0"),
        ("--seed", str(2**31), "it must be from 0 to 2,147,483,647"),
        ("--tokens", str(2**31), "tokens is 2147483648"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(refused, made: Path, option: str, value: str, rule: str):
    assert rule in refused("generate", made, option, value)


def test_a_folder_that_is_no_run_is_refused_and_kept(refused, data: Path, tmp_path: Path, snapshot):
    before = snapshot(data)
    message = refused("generate", data)
    assert f"{data} is not a run: it has no run.json" in message
    assert "textgen train" in message
    assert snapshot(data) == before
    assert "is not there" in refused("generate", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_run_without_a_checkpoint_is_refused(refused, made: Path, tmp_path: Path):
    copy = shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns("best"))
    assert "Continue with `textgen train --resume" in refused("generate", copy)


def test_a_run_without_a_vocabulary_is_refused(refused, made: Path, tmp_path: Path):
    copy = shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns("vocabulary.jsonl"))
    assert "has no vocabulary.jsonl" in refused("generate", copy)


def _end(windows: tf.Tensor) -> tf.Tensor:
    """Ends every document at once."""
    return 100 * tf.one_hot(tf.fill(tf.shape(windows)[:1], EOS), 20)


def _see_beginning(windows: tf.Tensor) -> tf.Tensor:
    """Writes "a" where there is [BOS], else "b"."""
    begins = tf.reduce_any(tf.equal(windows, BOS), axis=1)
    return tf.one_hot(tf.where(begins, 4, 5), 20)


@pytest.mark.parametrize(("boundaries", "text"), [(True, "ccaaabb"), (False, "ccbbbbb")])
def test_a_prompt_begins_a_document_only_where_documents_have_a_beginning(
    made: Path, tmp_path: Path, monkeypatch, capfd, boundaries: bool, text: str
):
    copy = shutil.copytree(made, tmp_path / "run")
    runs.save(dataclasses.replace(runs.load(copy), boundaries=boundaries), copy)
    monkeypatch.setattr(runs, "load_model", lambda directory, config: MadeNetwork(5, _see_beginning))
    assert _printed(capfd, copy, "--prompt", "cc", "--tokens", 5, "--temperature", 0) == f"{text}\n"


def test_many_prompts_are_written_as_json_with_their_tokens(made: Path, tmp_path: Path, capfd):
    (tmp_path / "prompts.txt").write_text("ab\n\nab\n", encoding="utf-8")
    out = _printed(
        capfd, made, "--prompt", "c", "--prompts-file", tmp_path / "prompts.txt", "--samples", 2, "--tokens", 6,
        "--json", "--top-k", 3, "--stop", "zz",
    )  # fmt: skip
    found = [json.loads(line) for line in out.splitlines()]
    assert [text["prompt"] for text in found] == ["c", "c", "ab", "ab", "", "", "ab", "ab"]
    assert len({text["text"] for text in found if text["prompt"] == "ab"}) == 4
    for text in found:
        assert text["text"] == text["prompt"] + "".join(text["tokens"])
        assert len(text["log_probabilities"]) == 6 and text["reason"] == "length"


def test_a_stream_prints_the_same_text(made: Path, capfd):
    argv = (made, "--prompt", "ab", "--tokens", 9, "--seed", 3)
    assert _printed(capfd, *argv, "--stream") == _printed(capfd, *argv, "--no-stream")


def test_prompts_come_through_a_pipe(made: Path, monkeypatch, capfd):
    expected = _printed(capfd, made, "--prompt", "ab", "--prompt", "c", "--tokens", 4)
    for argv in ((), ("--prompts-file", "-")):
        reading, writing = os.pipe()
        os.write(writing, b"ab\nc\n")
        os.close(writing)
        with os.fdopen(reading) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            assert _printed(capfd, made, "--tokens", 4, *argv) == expected


def test_tokens_are_chosen_interactively_through_a_pipe(made: Path, monkeypatch, capfd):
    monkeypatch.setattr("sys.stdin", io.StringIO("=a\n+3\nu\nq\n"))
    out = _printed(capfd, made, "--prompt", "ab", "--interactive", "--top", 2)
    texts = [line for line in out.splitlines() if "%" not in line]
    assert [len(text) for text in texts] == [2, 3, 6, 3]
    assert texts[3] == texts[1] and texts[2].startswith(texts[1])
    assert sum("%" in line for line in out.splitlines()) == 8


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("--prompt", "a", "--prompt", "b", "--stream"), "not as JSON; here there are 2 texts"),
        (("--interactive", "--json"), "not as JSON; here --json is given"),
        (("--top", "0"), "top is 0; it must be at least 1"),
        (("--top-p", "0"), "top p is 0.0; it must be above 0 and at most 1. Use 1"),
        (("--ban", "whale"), "ban has 'whale', which is no token of the vocabulary, but"),
        (("--stop", ""), "a stop string is empty"),
        (("--prompts-file", "nowhere.txt"), "No such file"),
    ],
)
def test_what_does_not_go_together_is_refused(refused, made: Path, options: tuple[str, ...], rule: str):
    assert rule in refused("generate", made, *options)


def test_a_file_of_prompts_that_is_damaged_or_large_is_refused(refused, made: Path, tmp_path: Path):
    path = tmp_path / "prompts.txt"
    path.write_bytes(b"ok\n\xff\n")
    assert "line 2 has the byte 0xff at offset 3" in refused("generate", made, "--prompts-file", path)
    path.write_bytes(b"a" * 10_000_000)
    assert "a prompt has 10,000,000 bytes" in refused("generate", made, "--prompts-file", path)
    path.write_bytes(b"")
    assert "has no prompts; it must have at least one line" in refused("generate", made, "--prompts-file", path)


@pytest.mark.parametrize(
    ("option", "message"), [("the", "must be a token and a number"), ("=3", "has no token before")]
)
def test_a_bias_without_a_token_or_number_is_a_usage_error(made: Path, capfd, option: str, message: str):
    with pytest.raises(SystemExit) as ended:
        main(["generate", str(made), "--logit-bias", option])
    assert ended.value.code == 2 and message in capfd.readouterr().err
