"""`textgen train` that is killed when it is about to go beyond a step: killed_script.py STEP COMMAND …"""

import os
import signal
import sys
from typing import Any

from textgen.console import import_tensorflow

import_tensorflow()

from textgen.cli import main  # noqa: E402
from textgen.training import step  # noqa: E402

make_steps = step.training_steps


def training_steps(*arguments: Any, **settings: Any) -> Any:
    steps, done = make_steps(*arguments, **settings), 0

    def run(batches: Any, count: int, so_far: Any) -> Any:
        nonlocal done
        done += count
        sums = steps(batches, count, so_far)
        if done > int(sys.argv[1]):
            # When the steps are done, and before anything of them is written.
            os.kill(os.getpid(), signal.SIGKILL)
        return sums

    return run


if __name__ == "__main__":
    step.training_steps = training_steps
    sys.exit(main(sys.argv[2:]))
