"""What the tests of one-step models share: contexts of ids, and the logits of the network after them."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

CONTEXTS = ([2], [2, 5, 9], [2, 7, 8, 9, 10, 11, 12], [30, 4, 30, 4, 5, 6])

Run = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]


def require_same_logits(trained, run: Run) -> None:
    """Checks that an exported step or window gives the logits of the network, whose states have the same names."""
    model = trained.model
    for ids in CONTEXTS:
        window = ids[-model.window :]
        if model.config.causal:
            expected = model(tf.constant([ids]), training=False)[:, -1]
            states = {f"state_{i}": np.zeros([1, n], np.float32) for i, n in enumerate(model.state_widths)}
            for number in ids:
                states = run({"ids": np.array([number], np.int32), **states})
                logits = states.pop("logits")
        else:
            padded = np.array([window + [0] * (model.window - len(window))], np.int32)
            expected = model(tf.constant(padded), training=False)
            logits = run({"ids": padded})["logits"]
        np.testing.assert_allclose(logits, expected, atol=2e-4, err_msg=f"{model.config} {ids}")
