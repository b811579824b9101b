"""Runs textgen's commands in the process of a trial, and checks how they end."""

import contextlib
import io


def expect(what: object, wanted: int | None, *words: str) -> str:
    """Runs a command that ends with an exit code, and returns what it prints.

    Args:
        what: what is tried, for the failure.
        wanted: the exit code; None for 0, or 1 or 2 with one line of error (of `verify`, 1 with its problems).
        words: words of the command.
    """
    code, out, err = _command(*words)
    told = f"{what!r}: {words[0]} ended with {code}:\n{out}{err}"
    assert wanted is None or code == wanted, told
    assert code in (0, 1, 2), told
    assert "Traceback" not in err and "has a mistake" not in err, told
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == (code == 2 or (code == 1 and words[0] != "verify")), told  # noqa: PLR2004
    assert not set(out + err) & set("\x1b\x9b\x00\x07\u202e"), told
    return out + err


def _command(*words: str) -> tuple[int, str, str]:
    """Runs a command in this process, and returns its exit code and what it prints."""
    from textgen.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue(), err.getvalue()
