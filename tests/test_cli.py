import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from textgen import __version__, cli, termination
from textgen.commands import generate, prepare, train, verify
from textgen.errors import Interrupted, Terminated, UserError

# Every help in one process, which then tells what it had to import.
_HELPS = """
import sys
from textgen import cli
for argv in (["--help"], *([name, "--help"] for name in cli.COMMANDS)):
    try:
        cli.main(argv)
    except SystemExit as stop:
        assert stop.code == 0, argv
heavy = sorted({"tensorflow", "keras", "apache_beam", "matplotlib"} & set(sys.modules))
print("imported:", *heavy)
"""

_PRINTS_A_LINE = """
import sys
from textgen import cli
from textgen.commands import verify
cli.import_tensorflow = lambda: None
verify.run = lambda arguments: print("all well")
sys.exit(cli.main(["verify", "data"]))
"""


def _python(*arguments: str, **settings) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], text=True, check=False, **settings)


def _stopped(argv: list[str]) -> object:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    return stop.value.code


def _raising(error: BaseException):
    def run(arguments: argparse.Namespace) -> None:
        raise error

    return run


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit, match="^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"textgen {__version__}\n"


def test_help_is_there_for_every_command_without_a_framework():
    done = _python("-c", _HELPS, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "imported:"
    for name in cli.COMMANDS:
        assert f"usage: textgen {name} " in done.stdout


def test_the_module_runs_as_a_program():
    done = _python("-m", "textgen.cli", "--help", capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name in cli.COMMANDS:
        assert f"\n    {name} " in done.stdout


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ([], "COMMAND"),
        (["dream"], "dream"),
        (["verify", "data", "--fast"], "--fast"),
        (["generate", "run", "--warmth", "1"], "--warmth"),
        (["generate", "run", "--temp", "1"], "--temp"),
        (["generate", "run", "--tokens", "many"], "--tokens"),
        (["generate"], "RUN"),
        (["train", "--output", "run"], "--data"),
    ],
)
def test_what_no_command_understands_exits_with_2(capfd, argv: list[str], found: str):
    assert _stopped(argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert found in err.splitlines()[-1]
    assert "error: " in err.splitlines()[-1]


def test_options_that_prepare_does_not_know_are_beams(monkeypatch):
    given = []
    monkeypatch.setattr(prepare, "run", lambda arguments: given.append(arguments.beam_flags))
    flags = ["--runner=DataflowRunner", "--project", "whales"]
    assert cli.main(["prepare", "--input", "a.txt", "--output", "data", *flags]) == 0
    assert given == [flags]


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1)])
def test_a_command_gives_the_exit_code(monkeypatch, returned: int | None, code: int):
    monkeypatch.setattr(verify, "run", lambda arguments: returned)
    assert cli.main(["verify", "data"]) == code


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("tokens is 0. Use 1."), 2, "error: tokens is 0. Use 1."),
        (
            RuntimeError("InvalidArgument: UserError: a.tfrecord is cut. Do it again.\nTraceback: …\n [[node]]"),
            2,
            "error: a.tfrecord is cut. Do it again.",
        ),
        (
            OSError(28, "No space left on device", "run/a"),
            1,
            "error: run/a: No space left on device. Free space on that disk. Nothing was changed; run the same "
            "command again.",
        ),
        (
            MemoryError(),
            1,
            "error: out of memory. Close other programs, or use a machine with more memory. Nothing was changed; run "
            "the same command again.",
        ),
        (
            ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
            1,
            "error: out of memory: failed to map segment from shared object. Close other programs, or use a machine "
            "with more memory. Nothing was changed; run the same command again.",
        ),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            1,
            "error: Connection reset by peer. Nothing was changed; run the same command again.",
        ),
        (
            PermissionError(13, "Permission denied", "run/a"),
            2,
            "error: run/a: Permission denied. Change its permissions, or name another path. Nothing was changed; "
            "run the same command again.",
        ),
        (
            ModuleNotFoundError("No module named 's3fs'"),
            2,
            "error: a package cannot be imported: No module named 's3fs'. Install it again. Nothing was changed; "
            "run the same command again.",
        ),
        (Interrupted("stopped after step 3.", signal=15), 143, "stopped after step 3."),
    ],
)
def test_what_the_user_can_mend_is_told_in_one_line(monkeypatch, capfd, error: Exception, code: int, line: str):
    monkeypatch.setattr(generate, "run", _raising(error))
    assert cli.main(["generate", "run"]) == code
    assert capfd.readouterr() == ("", f"{line}\n")


def test_an_interruption_exits_with_130(monkeypatch, capfd):
    monkeypatch.setattr(verify, "run", _raising(KeyboardInterrupt()))
    assert cli.main(["verify", "data"]) == 130
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("interrupted")


@pytest.mark.parametrize("number", [2, 15])
def test_an_error_that_replaces_that_of_a_signal_is_an_interruption(monkeypatch, capfd, number: int):
    monkeypatch.setattr(verify, "run", _raising(RuntimeError("textgen.errors.Terminated [while running 'Step']")))
    monkeypatch.setattr(termination, "_RECEIVED", [number])
    assert cli.main(["verify", "data"]) == 128 + number
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("interrupted")


def test_an_import_that_a_signal_has_cut_off_is_an_interruption(monkeypatch, capfd):
    monkeypatch.setattr(verify, "run", _raising(Terminated()))
    monkeypatch.setattr(verify, "kept", _raising(AttributeError("half imported")), raising=False)
    assert cli.main(["verify", "data"]) == 143
    assert capfd.readouterr().err == "interrupted. What was saved is kept; run the same command again.\n"


def test_a_mistake_of_ours_is_one_line_that_says_how_to_report_it(monkeypatch, capfd):
    monkeypatch.setattr(verify, "run", _raising(ZeroDivisionError("division\nby zero")))
    assert cli.main(["verify", "data"]) == 1
    assert capfd.readouterr() == (
        "",
        "error: textgen has a mistake: ZeroDivisionError: division by zero (textgen/cli.py:"
        f"{_line_that_runs()}). Nothing was changed; run the same command again. Please report it with the output "
        "of the same command and --traceback.\n",
    )


def _line_that_runs() -> int:
    lines = Path(cli.__file__).read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if "arguments.run(arguments)" in line]
    return number


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_traceback_is_shown_when_it_is_asked_for(monkeypatch, capfd, command: str):
    def fail(arguments: argparse.Namespace) -> None:
        try:
            raise RuntimeError("a report of a worker")
        except RuntimeError:
            raise OSError(28, "No space left on device", "a") from None

    module = importlib.import_module(f"textgen.commands.{command}")
    monkeypatch.setattr(module, "run", fail)
    words = {
        "estimate": ["--input", "a"], "prepare": ["--input", "a"], "train": ["--data", "a"],
        "evaluate": ["run", "--data", "a"], "export": ["run", "a"], "report": ["a", "-o", "b"],
    }.get(command, ["a"])  # fmt: skip
    assert cli.main([command, *words, "--traceback"]) == 1
    error = capfd.readouterr().err
    assert "RuntimeError: a report of a worker" in error
    assert "Traceback (most recent call last)" in error
    assert error.splitlines()[-1].startswith("error: a: No space left on device. Free space on that disk. ")
    assert cli.main([command, *words]) == 1
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (
            ["prepare", "--input", "a", "--output", "b"],
            "Finished work is kept; run the same command again to continue.",
        ),
        (["repair", "b"], "Finished work is kept; run the same command again to continue."),
        (["train", "--data", "a", "--output", "{run}"], "There is no checkpoint yet; run the same command again "),
        (["verify", "b"], "Nothing was changed; run the same command again."),
    ],
)
@pytest.mark.parametrize("error", [OSError(5, "Input/output error", "c"), KeyboardInterrupt()])
def test_it_is_told_what_is_kept_and_how_to_go_on(monkeypatch, capfd, tmp_path, command, kept: str, error):
    monkeypatch.setattr(importlib.import_module(f"textgen.commands.{command[0]}"), "run", _raising(error))
    cli.main([word.format(run=tmp_path / "run") for word in command])
    (line,) = capfd.readouterr().err.splitlines()
    assert f". {kept}" in line


def test_it_is_told_which_checkpoint_is_kept(monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(train, "run", _raising(MemoryError()))
    (tmp_path / "last").mkdir()
    for step in (80, 1200):
        (tmp_path / "last" / f"ckpt-{step}.index").touch()
    for options, again in ([], " with --resume"), (["--resume"], ""):
        assert cli.main(["train", "--data", "a", "--output", str(tmp_path), *options]) == 1
        assert capfd.readouterr().err == (
            "error: out of memory. Close other programs, raise --micro-batches, or begin a new run with a smaller "
            "--batch-size or network. The checkpoint of step 1,200 is kept; run the same command again"
            f"{again} to continue.\n"
        )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(unbuffered: str):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    read, write = os.pipe()
    os.close(read)
    try:
        done = _python("-c", _PRINTS_A_LINE, stdout=write, stderr=subprocess.PIPE, env=environment)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
