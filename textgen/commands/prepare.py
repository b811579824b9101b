"""Text and CSV files → sharded TFRecords of every (window, next token) pair."""

import argparse

from pipelines import arguments as prepare_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    prepare_arguments.add_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Prepares, then shows the accounts."""
    config = prepare_arguments.config_from(arguments)

    from pipelines.prepare import prepare
    from textgen.commands.inspect import accounts

    manifest = prepare(
        arguments.input,
        arguments.output,
        config,
        arguments.beam_flags,
        vocabulary=arguments.vocabulary,
        tokenizer_model=arguments.tokenizer_model,
    )
    print(accounts(manifest))
