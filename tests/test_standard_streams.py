import io
import json
import os
import subprocess
import sys

import pytest

from textgen.standard_streams import safe_stream, safe_streams

# Prints a text of many scripts to both streams, and then whether standard output has all of it.
_PRINTS = """
import sys
from textgen.console import bar, say, show
from textgen.standard_streams import safe_streams
with safe_streams() as streams:
    for _ in range(3):
        show("window \\u2192 \\u65b0\\u8bed \\U0001f600 \\ud800" + "x" * 20_000)
        say("read \\u2192")
        print("\\u2192", file=sys.stderr)
        with bar(3, "t\\u00eate", "B") as shown:
            shown.update(3)
    sys.stdout.flush()
    failure = streams.failure
open(sys.argv[1], "w").write(repr(failure))
"""

SHOWN = "window → 新语 😀 \\ud800"
LOCALES = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1:strict"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "utf-8"},
]


def _run(result, shell: str = "", **settings) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-c", _PRINTS, str(result)]
    if shell:
        words = ["sh", "-c", f'exec "$@" {shell}', "sh", *words]
    return subprocess.run(words, text=True, check=False, **settings)


@pytest.mark.parametrize("environment", LOCALES)
def test_characters_that_a_stream_lacks_are_escaped(tmp_path, environment: dict[str, str]):
    done = _run(tmp_path / "failure", capture_output=True, env={**os.environ, **environment}, encoding="latin-1")
    assert done.returncode == 0
    assert (tmp_path / "failure").read_text() == "None"
    if environment["PYTHONIOENCODING" if "PYTHONIOENCODING" in environment else "LC_ALL"] == "utf-8":
        assert done.stdout.encode("latin-1").decode().startswith(SHOWN)
    else:
        assert done.stdout.startswith(r"window \u2192 \u65b0\u8bed \ud83d\ude00 \ud800xxx")
        assert r"read \u2192" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full", "2>&1 | head -c 10"])
def test_streams_that_are_closed_or_full_or_have_no_reader_end_nothing(tmp_path, shell: str):
    done = _run(tmp_path / "failure", shell, capture_output=True)
    assert done.returncode == 0
    assert (tmp_path / "failure").read_text() == "None"
    assert "Traceback" not in done.stderr


def test_a_full_output_ends_nothing_and_is_told(tmp_path):
    done = _run(tmp_path / "failure", ">/dev/full", capture_output=True)
    assert done.returncode == 0
    assert (tmp_path / "failure").read_text() == "OSError(28, 'No space left on device')"
    assert "Exception ignored" not in done.stderr


def test_escapes_are_valid_json():
    read, write = os.pipe()
    like = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with os.fdopen(read, "rb") as reader:
        stream = safe_stream(write, like=like)
        stream.write(json.dumps({"é→": "😀"}, ensure_ascii=False))
        stream.flush()
        os.close(write)
        assert json.loads(reader.read()) == {"é→": "😀"}


def test_a_pipe_that_does_not_block_gets_all():
    read, write = os.pipe()
    os.set_blocking(write, False)
    code = f"import os\ncount = 0\nwhile (data := os.read({read}, 99999)): count += len(data)\nprint(count)"
    with subprocess.Popen([sys.executable, "-c", code], pass_fds=[read], stdout=subprocess.PIPE) as reader:
        os.close(read)
        stream = safe_stream(write)
        stream.write("x" * 10**6)
        stream.flush()
        os.close(write)
        assert reader.stdout is not None
        assert int(reader.stdout.read()) == 10**6


def test_streams_of_others_are_left_alone(capsys):
    ours = sys.stdout
    with safe_streams() as streams:
        assert sys.stdout is ours
        print("shown")
    assert streams.failure is None
    assert capsys.readouterr().out == "shown\n"
