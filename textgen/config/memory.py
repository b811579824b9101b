"""The settings of a memory of what was read lately."""

import dataclasses
import math

from textgen.config.checks import require_at_least
from textgen.errors import require


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryConfig:
    """How an `lstm` remembers what it read; see `textgen.model.neural_cache`. The defaults suit characters of plays.

    Attributes:
        tokens: places that are remembered; 0: none.
        sharpness: θ, how much more the places count that are like the present one.
        share: λ, the memory's part in what is predicted.
    """

    tokens: int = 0
    sharpness: float = 18.0
    share: float = 0.25

    def __post_init__(self) -> None:
        require_at_least("memory", self.tokens, 0)
        require(
            0 < self.sharpness < math.inf,
            f"memory sharpness is {self.sharpness}; it must be a finite number above 0.",
        )
        require(0 < self.share < 1, f"memory share is {self.share}; it must be above 0 and below 1.")


NO_MEMORY = MemoryConfig()
