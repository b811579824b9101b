"""Reads the instructions of a Dockerfile, as far as that of this project has them."""

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    """An instruction: its name in capitals, and the rest."""

    name: str
    rest: str


class Dockerfile(NamedTuple):
    """The instructions of the last stage, and the arguments with their defaults.

    Attributes:
        arguments: defaults of the arguments before the first stage.
        base: image from which the last stage begins.
        others: images of the other stages by their names.
        instructions: the instructions of the last stage, in order.
    """

    arguments: dict[str, str]
    base: str
    others: dict[str, str]
    instructions: list[Instruction]

    @property
    def entrypoint(self) -> list[str]:
        """The words of the entrypoint, in the form of a list, which runs it without a shell."""
        (found,) = (each.rest for each in self.instructions if each.name == "ENTRYPOINT")
        return list(json.loads(found))


def read(path: Path) -> Dockerfile:
    """Returns the instructions of a file."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [Instruction(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    starts = [i for i, each in enumerate(found) if each.name == "FROM"]
    arguments = dict(each.rest.split("=", 1) for each in found[: starts[0]] if each.name == "ARG")
    images = [_substituted(found[i].rest, arguments).split() for i in starts]
    others = {words[2]: words[0] for words in images[:-1]}
    return Dockerfile(arguments, images[-1][0], others, found[starts[-1] + 1 :])


def _substituted(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)


def environment(file: Dockerfile, instruction: Instruction) -> dict[str, str]:
    """Returns the variables that an ENV or ARG sets."""
    words = shlex.split(instruction.rest)
    if instruction.name == "ARG":
        return {name: file.arguments[name] for name in words}
    return dict(word.split("=", 1) for word in words)
