import io
import logging
import os
import subprocess
import sys

import pytest

from textgen import console


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_messages_go_to_standard_error_and_leave_standard_output_to_results(capfd):
    console.say("counting tokens")
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "counting tokens\n"


def test_a_bar_shows_its_title_its_unit_and_where_it_started():
    stream = io.StringIO()
    with console.bar(10, "writing", "unit", stream=stream, initial=4) as bar:
        assert bar.n == 4
        bar.update(6)
    last = stream.getvalue().split("\r")[-1]
    assert last.startswith("writing: 100%")
    assert "unit/s" in last


@pytest.mark.parametrize(("stream", "seconds"), [(io.StringIO, 15.0), (Terminal, 0.1)])
def test_a_bar_writes_often_only_where_someone_watches(stream, seconds):
    with console.bar(1, "t", "unit", stream=stream()) as bar:
        assert bar.mininterval == seconds


def test_hushed_discards_what_native_code_writes_and_yields_the_true_stream(capfd):
    with console.hushed() as terminal:
        os.write(2, b"a greeting of native code\n")
        terminal.write("a message\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "a message\nafter\n"


def test_hushed_gives_standard_error_back_after_an_error(capfd):
    with pytest.raises(RuntimeError, match="boom"), console.hushed():
        raise RuntimeError("boom")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_importing_tensorflow_writes_nothing():
    program = (
        "from textgen.console import import_tensorflow\n"
        "import_tensorflow()\n"
        "import tensorflow as tf\n"
        "print(tf.add(1, 2).numpy())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
    assert done.stderr == ""


def test_a_bar_moves_in_a_notebook() -> None:
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    with console.bar(10, "reading", "B", stream=stream) as shown:
        assert shown.mininterval == 0.5


def test_quiet_logging_discards_warnings_inside_it_alone(caplog):
    with console.quiet_logging():
        logging.warning("inside")
    logging.warning("after")
    assert [record.message for record in caplog.records] == ["after"]


def test_tracebacks_of_some_errors_are_neither_logged_nor_printed(capsys):
    logger, handler = logging.getLogger("engine.worker"), logging.StreamHandler(sys.stderr)
    logging.root.addHandler(handler)
    try:
        with console.without_tracebacks(lambda error: "space" in str(error), logger="engine"):
            for message in ("no space", "a mistake"):
                logger.error(message)
                print(f"Traceback (most recent call last):\n{message}", file=sys.stderr)
        logger.error("no space after it")
    finally:
        logging.root.removeHandler(handler)
    shown = capsys.readouterr().err
    assert shown == "a mistake\nTraceback (most recent call last):\na mistake\nno space after it\n"
