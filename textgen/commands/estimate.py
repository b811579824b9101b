"""What a preparation will make and take, from a sample of the corpus and before any work."""

import argparse
import dataclasses
import json

from pipelines import arguments as prepare_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options, those of `prepare`."""
    prepare_arguments.add_input_arguments(parser)
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(arguments: argparse.Namespace) -> None:
    """Prints the estimate."""
    config = prepare_arguments.config_from(arguments)

    from pipelines.estimation import estimate

    found = estimate(
        arguments.input, config, vocabulary=arguments.vocabulary, tokenizer_model=arguments.tokenizer_model
    )
    if arguments.json:
        values = dataclasses.asdict(found)
        values["layouts"] = {layout: values._asdict() for layout, values in found.layouts.items()}
        print(json.dumps(values, indent=1))
        return
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in found.dropped.items()) or "none"
    print(f"input       {found.input_bytes:,} bytes, of which {found.sampled_bytes:,} were read")
    print(f"documents   {found.documents:,}, dropped: {dropped}")
    if config.selection.duplicates == "drop" or config.selection.near_duplicates:
        print("            duplicates are not among those dropped: a sample can't tell them")
    print(f"tokens      {found.tokens:,}")
    print(f"pairs       {found.pairs:,}")
    print(f"{'layout':<12}{'bytes on disk':>18}{'seconds here':>14}{'worker-hours':>14}")
    for layout, takes in found.layouts.items():
        print(f"{layout:<12}{takes.bytes:>18,}{takes.seconds:>14,.0f}{takes.worker_hours:>14.3f}")
