"""The logit of what must not be chosen."""

MASKED_LOGIT = -1e9
"""Low enough for a probability of 0 in float32; finite, so that it can be divided by a small temperature."""
