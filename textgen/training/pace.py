"""How many steps a graph call takes."""

_SECONDS_A_CALL = 0.5
"""Long against a call's overhead, short for a person who watches and for a machine that is to stop."""


class Pace:
    """Finds how many steps fill a call's time.

    Attributes:
        steps: for the next call.
    """

    def __init__(self) -> None:
        self.steps = 1

    def took(self, steps: int, seconds: float) -> None:
        """Learns from a call."""
        # Twice at the most, so that one slow or quick call does not decide the next.
        self.steps = max(1, min(2 * steps, int(steps * _SECONDS_A_CALL / seconds)))
