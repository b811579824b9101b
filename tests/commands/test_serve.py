import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKENS = 3000


def test_what_cannot_be_served_is_refused(refused, made: Path, tmp_path: Path):
    assert "port is 70000; it must be from 0 to 65535" in refused("serve", made, "--port", "70000")
    assert "host is empty; it must be an address" in refused("serve", made, "--host", "")
    assert f"{made} and {made} have the same name, which is the model's" in refused("serve", made, made)
    for seconds in ("0", "nan", "inf"):
        assert "it must be finite and above 0" in refused("serve", made, "--max-seconds", seconds)
    assert "is not a run" in refused("serve", tmp_path, "--port", "0")
    (tmp_path / "key").write_text("\n")
    assert "is empty; it must have a key" in refused("serve", made, "--api-key-file", tmp_path / "key")
    for content in (b"a\xff", b"one\ntwo\n"):
        (tmp_path / "key").write_bytes(content)
        assert "is no line of UTF-8; it must have one key" in refused(
            "serve", made, "--api-key-file", tmp_path / "key"
        )


@pytest.mark.system
def test_after_sigterm_running_answers_end_and_then_the_server(made: Path, tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "textgen.cli", "serve", made, "--port", "0"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        line = process.stderr.readline()
        (address,) = re.findall(r"serving at (http://127.0.0.1:\d+) ", line)
        body = json.dumps({"model": made.name, "prompt": "ab", "max_tokens": TOKENS, "stream": True})
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/v1/completions", body.encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            events = [answer.readline()]
            process.send_signal(signal.SIGTERM)
            events += [line for line in answer if line.strip()]
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""
    *pieces, last = [line.decode().removeprefix("data: ").strip() for line in events if line.strip()]
    # What came after the signal; a fast machine takes few pieces.
    assert last == "[DONE]" and len(pieces) > 1
    choices = [json.loads(piece)["choices"][0] for piece in pieces]
    assert sum(len(choice["text"]) for choice in choices) == TOKENS
    assert choices[-1]["finish_reason"] == "length"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)
