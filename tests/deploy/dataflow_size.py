"""Submits a job with as many units as there are input files, without the files.

python -m tests.deploy.dataflow_size COUNT FOLDER OPTIONS
"""

import contextlib
import sys
from typing import Any

from pipelines import runners
from pipelines.jobs import ProcessUnits
from pipelines.stages import TOKENS
from pipelines.workspace import Workspace
from textgen.corpus.readers.base import FileRange, InputFile
from textgen.corpus.units import Unit


class Nothing:
    """Work in place of that of a stage."""

    stage = TOKENS

    def setup(self) -> None:
        pass

    def process(self, unit: Unit) -> dict[str, Any]:
        return {}


def main(count: int, folder: str, flags: list[str]) -> None:
    files = (InputFile(f"gs://corpora/texts/{i // 1000:04}/{i:07}.txt", 40_000, 1.5, "text") for i in range(count))
    units = [Unit(i, (FileRange(file, 0, 40_000),)) for i, file in enumerate(files)]
    engine = runners.start(flags, input_bytes=1)
    _ = engine.pipeline | ProcessUnits(units, Nothing(), Workspace(folder))
    with contextlib.suppress(Exception):
        # The server keeps the job, and says that it has failed.
        engine.pipeline.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
