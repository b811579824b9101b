"""The command line: parses `textgen COMMAND …`, runs the command, and turns errors into one line and an exit code.

Exit codes: 0 success; 1 a check found faults, or the work failed; 2 bad input or use; 128 plus the number of the
signal that stopped the command: 130 for Ctrl-C, 143 for SIGTERM. docs/guide/errors.md has the table of causes.
"""

import argparse
import contextlib
import importlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence

from textgen import __version__
from textgen.config.options import CommandParser
from textgen.console import import_tensorflow, say
from textgen.errors import Interrupted, Terminated, user_error
from textgen.locks import LostLockError
from textgen.owned_folders import own_temporary_files
from textgen.standard_streams import open_closed_descriptors, safe_streams
from textgen.system_errors import describe, exit_code, summary, system_error
from textgen.termination import calls_before_end, received_signal, run_process

_DESCRIPTION = "Streams every (window, next token) pair of a text corpus to a language model, and writes new text."

COMMANDS = (
    "estimate", "prepare", "status", "inspect", "verify", "repair", "train", "evaluate", "generate", "score",
    "export", "serve", "report",
)  # fmt: skip
_BEAM_COMMANDS = ("prepare", "repair")

_MEMORY_REMEDY = "Close other programs, or use a machine with more memory."

_Kept = Callable[[argparse.Namespace], str]
"""Function that returns what a command that failed has kept, and how to continue, as sentences."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code.

    Args:
        argv: words of the command; None for those of this process, which is then ended with the exit code.
    """
    if argv is None:
        open_closed_descriptors()
        run_process(_main_of_process)
    with safe_streams() as streams:
        code = _run(_parse(argv))
        if streams.failure and code == 0:
            say(f"error: {describe(streams.failure)} The work itself is done.")
            return exit_code(streams.failure)
        return code


def _main_of_process() -> int:
    with own_temporary_files(), calls_before_end():
        return main(sys.argv[1:])


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = CommandParser(prog="textgen", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"textgen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = importlib.import_module(f"textgen.commands.{name}")
        summary = (command.__doc__ or "").strip().split("\n")[0]
        added = commands.add_parser(name, help=summary, description=summary)
        command.add_arguments(added)
        added.add_argument("--traceback", action="store_true", help="on an error, also print where it was raised")
        added.set_defaults(
            run=command.run,
            kept=getattr(command, "kept", _nothing_written),
            memory_remedy=getattr(command, "MEMORY_REMEDY", _MEMORY_REMEDY),
            uses_tensorflow=getattr(command, "USES_TENSORFLOW", True),
        )
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command not in _BEAM_COMMANDS:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.beam_flags = rest
    arguments.words = list(sys.argv[1:] if argv is None else argv)
    return arguments


def _run(arguments: argparse.Namespace) -> int:
    try:
        with contextlib.nullcontext() if arguments.traceback else _silent_frameworks():
            if arguments.uses_tensorflow:
                import_tensorflow(plots=False)
            code = int(arguments.run(arguments) or 0)
            sys.stdout.flush()
            return code
    except (Exception, KeyboardInterrupt) as error:
        if arguments.traceback:
            _print_traceback(error)
        return _report(error, arguments)


@contextlib.contextmanager
def _silent_frameworks() -> Iterator[None]:
    """Discards what Beam and TensorFlow log for their developers, and the tracebacks of their threads."""
    logging.basicConfig(level=logging.CRITICAL + 1)
    before, threading.excepthook = threading.excepthook, _ignore
    try:
        yield
    finally:
        threading.excepthook = before


def _ignore(_: threading.ExceptHookArgs) -> None:
    pass


def _report(error: BaseException, arguments: argparse.Namespace) -> int:
    """Prints one line about an error, and returns the exit code."""
    if isinstance(error, Interrupted):
        say(str(error))
        return 128 + error.signal
    kept = _what_is_kept(arguments)
    if isinstance(error, KeyboardInterrupt):
        say(f"interrupted. {kept}")
        return 143 if isinstance(error, Terminated) else 130
    number = received_signal()
    if number is not None and not isinstance(error, LostLockError):
        say(f"interrupted. {kept}")
        return 128 + number
    message = user_error(error)
    where = _where(error)
    if message is not None:
        say(f"error: {message}{where}")
        return 2
    failed = system_error(error)
    if failed is not None:
        remedy = f"{arguments.memory_remedy} " if isinstance(failed, MemoryError) else ""
        say(f"error: {describe(failed)} {remedy}{kept}{where}")
        return exit_code(failed)
    say(
        f"error: textgen has a mistake: {summary(error)}{where}. {kept} Please report it with the output of the same "
        "command and --traceback."
    )
    return 1


def _where(error: BaseException) -> str:
    """Returns the notes of an error, such as in which unit of a job it was raised, in parentheses."""
    return "".join(f" ({note})" for note in getattr(error, "__notes__", ()))


def _what_is_kept(arguments: argparse.Namespace) -> str:
    try:
        return str(arguments.kept(arguments))
    except Exception:
        # A signal may have cut off an import, after which no other module can be imported.
        return "What was saved is kept; run the same command again."


def _nothing_written(arguments: argparse.Namespace) -> str:
    return "Nothing was changed; run the same command again."


def _print_traceback(error: BaseException) -> None:
    """Prints the traceback of an error, with those of the errors that it replaced."""
    replaced: BaseException | None = error
    while replaced is not None:
        replaced.__suppress_context__ = False
        replaced = replaced.__cause__ or replaced.__context__
    traceback.print_exception(error, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
