import doctest
import io
import json
import logging
import os
import subprocess
import sys
import unicodedata

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, ünïcödé, 日本語, 🙂 and a\u00a0space", "plain text, ünïcödé, 日本語, 🙂 and a\u00a0space"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\nb\tc\rd\x00", r"a\nb\tc\rd\x00"),
        ("\x7f\x9b31m", r"\x7f\x9b31m"),
        ("\u202eevil\u2066\u200f", r"\u202eevil\u2066\u200f"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("\ufeff\u200b\U000e0041", r"\ufeff\u200b\U000e0041"),
        ("undecodable \udcff", r"undecodable \udcff"),
        ("joiners of 👨\u200d👩\u200d👧 and می\u200cخواهم", "joiners of 👨\u200d👩\u200d👧 and می\u200cخواهم"),
        (r"\x1b", r"\x1b"),
    ],
)
def test_characters_that_act_on_a_terminal_are_shown_as_escapes(text: str, expected: str):
    assert console.printable(text) == expected
    assert console.printable(expected) == expected


def test_characters_to_keep_are_kept():
    assert console.printable("a\n\tb\r\x1b", keep="\n\t") == "a\n\tb\\r\\x1b"


def test_no_control_or_format_character_but_joiners_and_visible_signs_is_printed():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    kept = console.printable(everything)
    left = [c for c in kept if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert left == []
    invisible = {c for c in kept if unicodedata.category(c) == "Cf"}
    assert {"\u200c", "\u200d", "\u00ad", "\u0600"} <= invisible
    assert not invisible & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_an_excerpt_is_one_line_of_at_most_so_many_characters():
    assert console.excerpt("short", 5) == "short"
    assert console.excerpt("word " * 9, 11) == "word word…"
    assert console.excerpt("a\x1b\udcff\nb", 9) == "a?? b"


def test_json_keeps_its_values_without_raw_control_characters():
    values = {"a": "\x7f\x9b\u202e\n\udcff\U000e0041 ü"}
    text = console.printable_json(json.dumps(values, ensure_ascii=False, indent=1))
    assert json.loads(text) == values
    assert console.printable(text, keep="\n") == text
    assert "ü" in text


def test_messages_and_results_are_printable_and_keep_their_lines(capsys):
    console.say("one\x1b[31m\ntwo")
    console.show("three\x9b\tfour\nfive")
    out, err = capsys.readouterr()
    assert (out, err) == ("three\\x9b\tfour\nfive\n", "one\\x1b[31m\ntwo\n")


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(console)
    assert result.attempted
    assert not result.failed


def test_the_command_line_imports_no_matplotlib_for_keras() -> None:
    code = (
        "import sys; from textgen.console import import_tensorflow; import_tensorflow(plots=False); "
        "import textgen.api.run; assert 'matplotlib' not in sys.modules and 'numba' not in sys.modules; "
        "import matplotlib"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
