import argparse
import os
import subprocess
import sys

import pytest

from textgen import cli
from textgen.commands import generate, prepare, verify
from textgen.errors import UserError

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
        (OSError(28, "No space left on device"), 1, "error: [Errno 28] No space left on device"),
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


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr(verify, "run", _raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["verify", "data"])


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
