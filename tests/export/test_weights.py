import numpy as np

from textgen.export.weights import weights_of


def test_the_weights_of_each_direction_and_of_the_head(lstm, bilstm):
    found = weights_of(lstm.model)
    assert [len(directions) for directions in found.layers] == [1, 1]
    assert found.layers[0][0].kernel.shape == (6, 20) and found.layers[1][0].units == 5
    assert found.pooling is None and found.projection is None
    np.testing.assert_array_equal(found.bias, lstm.model.head.bias)
    found = weights_of(bilstm.model)
    assert [len(directions) for directions in found.layers] == [2, 2]
    forward = bilstm.model.bidirectional[1].forward_layer
    np.testing.assert_array_equal(found.layers[1][0].recurrent, forward.cell.recurrent_kernel)
