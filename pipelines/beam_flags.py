"""Checks the options that are passed on to Beam, since Beam itself only logs unknown options and ignores them."""

import argparse
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from textgen.errors import UserError


def known_flags(flags: Sequence[str]) -> list[str]:
    """Returns the flags as Beam spells them: `--flink-master` is `--flink_master`.

    Raises:
        UserError: Beam does not know a flag, or cannot read its value.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    spelled = [_spelled(flag, parser) for flag in flags]
    try:
        _, unknown = parser.parse_known_args(spelled)
    except argparse.ArgumentError as error:
        raise UserError(f"Beam cannot read {' '.join(flags)!r}: {error}. Correct it.") from None
    if unknown:
        raise UserError(f"neither textgen nor Beam knows {unknown[0]!r}. See `textgen prepare --help`.")
    return spelled


def _spelled(flag: str, parser: argparse.ArgumentParser) -> str:
    name, equals, value = flag.partition("=")
    with_lines = "--" + name[2:].replace("-", "_")
    known = parser._option_string_actions
    is_other = name.startswith("--") and name not in known and with_lines in known
    return with_lines + equals + value if is_other else flag
