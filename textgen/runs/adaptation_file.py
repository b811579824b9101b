"""The step sizes of adaptation that were found for a run, in `adaptation.json` in its folder."""

import json
from pathlib import Path
from typing import NamedTuple

from textgen.config import AdaptationConfig
from textgen.config.schema import Real, Record, SchemaError
from textgen.config.strict_json import parse_json
from textgen.errors import UserError
from textgen.files import read_head, write_atomically

FILE_NAME = "adaptation.json"

_MAX_BYTES = 1000


class StepSizes(NamedTuple):
    """Step sizes of adaptation.

    Attributes:
        rate: step size along the gradient.
        decay: share of the way back to the trained weights per step.
    """

    rate: float
    decay: float


DEFAULT = StepSizes(rate=0.03, decay=0.001)
"""The step sizes of a run for which none were found; they suit characters."""

_SCHEMA = Record({"rate": Real(at_least=0), "decay": Real(at_least=0, at_most=1)})


def save(run: Path, found: StepSizes) -> None:
    """Writes the step sizes of a run.

    Raises:
        OSError: the file can't be written.
    """
    write_atomically(run / FILE_NAME, f"{json.dumps(found._asdict())}\n".encode())


def step_sizes(run: Path, config: AdaptationConfig) -> StepSizes:
    """Returns the step sizes of some settings; those that are not set are the run's own, or the default ones.

    Raises:
        UserError: the run's file is damaged.
        OSError: it can't be read.
    """
    path = run / FILE_NAME
    own = DEFAULT
    if path.is_file():
        try:
            own = StepSizes(**parse_json(read_head(str(path), _MAX_BYTES + 1), _SCHEMA, max_bytes=_MAX_BYTES))
        except SchemaError as error:
            raise UserError(
                f"{path} is damaged: {error}. Make it again by `textgen evaluate --tune-adaptation`, or delete it."
            ) from None
    return StepSizes(
        own.rate if config.adapt_rate is None else config.adapt_rate,
        own.decay if config.adapt_decay is None else config.adapt_decay,
    )
