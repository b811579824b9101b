import numpy as np
import pytest

from textgen.dataset.storage import windows
from textgen.dataset.storage.layouts.window_pairs import MANY, WindowPairs


@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_few_and_many_pairs_are_the_same(naive_pairs, dtype):
    document = np.random.RandomState(0).randint(4, 300, 500).astype(np.uint16)
    expected = naive_pairs(document.tolist(), window=7)
    targets = windows.targets(windows.sequences([document]), window=7, stride=1)
    targets = targets._replace(indices=targets.indices.astype(np.int32), starts=targets.starts.astype(np.int32))
    order = np.random.RandomState(1).permutation(np.arange(MANY) % len(expected))
    for served in order[:20], order:
        pairs = WindowPairs(document, targets, served, window=7)
        for indices in slice(3, 9), np.array([5, 0]):
            wanted = served[indices]
            x, y = np.full((len(wanted), 7), 9, dtype), np.full(len(wanted), 9, dtype)
            pairs.extract(indices, x, y)
            assert list(zip(x.tolist(), y.tolist(), strict=True)) == [expected[i] for i in wanted]
