"""Checks that the input files can be read with the settings, before any work begins."""

from collections.abc import Mapping, Sequence

from pipelines.inputs import Inputs, find_inputs, read_options, require_readable, say_passed_over
from pipelines.split_files import join_splits
from textgen import files
from textgen.config import PrepareConfig, TablesConfig, to_json
from textgen.console import printable, say
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import InputFile, SeparatorOptions
from textgen.errors import UserError


def checked_inputs(named: Mapping[str, Sequence[str]], config: PrepareConfig, output: str | None) -> Inputs:
    """Returns the input files after checking that they can be read with these settings, and prints what is not read.

    Args:
        named: files, folders and globs of each split; empty for a split without files of its own.
        config: the settings of the preparation.
        output: folder of the new dataset; None if there is none.

    Raises:
        UserError: a file can't be read, all files are passed over, or a text field is given but no file has columns.
    """
    by_split = inputs_of_splits(named, config, output)
    for split, found in by_split.items():
        say_passed_over(found)
        require_readable(found.passed_over, config.on_unreadable)
        if found.error:
            raise found.error
        if named[split] and not found.files:
            raise UserError(f"{' '.join(named[split])}: {found.summary()}. Name files that hold text.")
    found = join_splits(by_split) if config.given_splits else by_split["train"]
    check_files(found.files, config)
    return found


def inputs_of_splits(
    named: Mapping[str, Sequence[str]], config: PrepareConfig, output: str | None
) -> dict[str, Inputs]:
    """Returns the files of each split, and those that are passed over, without a check of what was found.

    Args:
        named: files, folders and globs of each split; empty for a split without files of its own.
        config: the settings of the preparation.
        output: folder of the new dataset; None if there is none.

    Raises:
        UserError: a word names no file, or the output folder holds the input.
    """
    return {
        split: find_inputs(
            words,
            config.format,
            encoding=config.encoding,
            on_invalid=config.on_invalid,
            html=config.text.html,
            output=output,
        )
        for split, words in named.items()
    }


def check_files(found: Sequence[InputFile], config: PrepareConfig) -> None:
    """Checks files with their readers, and prints what their content decided.

    Args:
        found: the input files.
        config: the settings of the preparation.

    Raises:
        UserError: a file can't be read with these settings, or no file has the columns that a setting is about.
    """
    options, remarks = read_options(config), dict[str, list[str]]()
    for file in found:
        remark = READERS[file.format].check(file, files.open_file, options)
        if remark:
            remarks.setdefault(remark, []).append(file.path)
    for remark, paths in remarks.items():
        others = f" and {len(paths) - 1:,} more files are" if len(paths) > 1 else " is"
        say(f"{printable(paths[0])}{others} {remark}")
    for flag, name in (("--split-field", config.split_field), ("--group-field", config.group_field)):
        for file in found if name else ():
            if not READERS[file.format].has_columns:
                raise UserError(
                    f"{flag} is {name!r}, but {file.path} is read as {file.format}, which has no columns. "
                    f"Leave {flag} out, or name only files of rows."
                )
    if options.separator != SeparatorOptions() and all(file.format != "document" for file in found):
        raise UserError(
            "a document separator is given, but no input file is read as a plain document. Leave it out, or use "
            "--format document."
        )
    if any(READERS[file.format].has_columns for file in found):
        return
    for flag, value in _about_columns(config):
        formats = ", ".join(name for name, reader in READERS.items() if reader.has_columns)
        raise UserError(
            f"{flag} is {value!r}, but no input file has columns. "
            f"Leave it out, or use one of these values of --format: {formats}."
        )


def _about_columns(config: PrepareConfig) -> list[tuple[str, object]]:
    """Returns the options about columns that are given, and their values."""
    given = [("--text-field", config.text_field)] if config.text_field else []
    usual = to_json(TablesConfig())
    changed = {name: value for name, value in to_json(config.tables).items() if value != usual[name]}
    return [*given, *((TablesConfig.own_settings[name].flag, value) for name, value in changed.items())]
