import signal
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_sigterm_lets_a_running_answer_end(trained: Path, tmp_path: Path):
    command = [sys.executable, "-m", "textgen.cli", "serve", str(trained), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline()
            assert line.startswith("serving at http://127.0.0.1:"), line
            body = b'{"model": "run", "prompt": "ab", "max_tokens": 300, "stream": true}'
            request = urllib.request.Request(
                f"{line.split()[2]}/v1/completions", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.readline()
                process.send_signal(signal.SIGTERM)
                rest = answer.read()
            assert rest.endswith(b"data: [DONE]\n\n") and b'"finish_reason": "length"' in rest
            assert process.wait(60) == 143
            assert process.stderr.read() == "interrupted. Answers that were running have ended; nothing is kept.\n"
        finally:
            process.kill()


def test_what_cannot_be_served_is_refused(refused, trained: Path, tmp_path: Path):
    assert "port is 70000; it must be from 0 to 65535" in refused("serve", trained, "--port", "70000")
    assert "2 runs have 1 names" in refused("serve", trained, trained)
    assert "max seconds is 0" in refused("serve", trained, "--max-seconds", "0")
    assert "is not a run" in refused("serve", tmp_path)
    (tmp_path / "key").write_text("\n")
    assert "is empty; it must have a key" in refused("serve", trained, "--api-key-file", tmp_path / "key")
