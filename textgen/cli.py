"""The command line: parses `textgen COMMAND …`, runs the command, and turns errors into one line and an exit code.

Exit codes: 0 success; 1 a check failed, or the operating system reported an error; 2 bad input; 128 plus the number
of the signal that stopped the command: 130 for Ctrl-C, 143 for SIGTERM.
"""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from textgen.config.options import CommandParser
from textgen.console import import_tensorflow, say
from textgen.errors import Interrupted, Terminated, user_error
from textgen.termination import run_process

_DESCRIPTION = (
    "Streams every (window, next token) pair of a text corpus to a bidirectional LSTM, and writes new text."
)

_WRONG_PATH = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)

COMMANDS = ("estimate", "prepare", "inspect", "verify", "repair", "train", "evaluate", "generate")
_BEAM_COMMANDS = ("prepare", "repair")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code.

    Args:
        argv: words of the command; None for those of this process, which is then ended with the exit code.
    """
    if argv is None:
        run_process(lambda: main(sys.argv[1:]))
    parser = CommandParser(prog="textgen", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = importlib.import_module(f"textgen.commands.{name}")
        summary = (command.__doc__ or "").strip().split("\n")[0]
        added = commands.add_parser(name, help=summary, description=summary)
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command not in _BEAM_COMMANDS:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    # Beam and TensorFlow log hints for their developers as warnings.
    logging.basicConfig(level=logging.ERROR)
    arguments.beam_flags = rest
    return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    try:
        import_tensorflow()
        code = int(arguments.run(arguments) or 0)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as interrupt:
        again = " with --resume" if arguments.command == "train" else ""
        say(f"interrupted; finished work is kept. Run the same command again{again} to continue.")
        return 143 if isinstance(interrupt, Terminated) else 130
    except Interrupted as interrupted:
        say(str(interrupted))
        return 128 + interrupted.signal
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; Python would complain of it once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        message = user_error(error)
        if message is not None:
            say(f"error: {message}")
            return 2
        if isinstance(error, OSError):
            say(f"error: {error}")
            return 2 if isinstance(error, _WRONG_PATH) else 1
        raise


if __name__ == "__main__":
    sys.exit(main())
