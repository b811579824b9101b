"""Exports one step of a network as an ONNX model of standard operators."""

from pathlib import Path
from typing import Any

import numpy as np

from textgen.errors import UserError
from textgen.export.weights import LstmWeights, NetworkWeights, weights_of
from textgen.files import write_atomically
from textgen.model.language_model import LanguageModel
from textgen.model.masking import MASKED_LOGIT

FILE_NAME = "model.onnx"

_OPSET, _IR = 17, 8
"""Versions that runtimes of 2022 and later read."""

_MERGES = {"sum": "Add", "mul": "Mul"}


def save(model: LanguageModel, directory: Path) -> None:
    """Writes `model.onnx`.

    Of a causal network it is one step: `ids`, int32 [N], and states `state_0` …, each float32 [N, U], to `logits`,
    float32 [N, V], and `new_state_0` …, the states after it. Of another one it is a window: `ids`, int32 [N, W],
    padded on the right with 0, to `logits`.

    Raises:
        UserError: the package onnx is not installed.
        OSError: the file can't be written.
    """
    try:
        import onnx
    except ImportError:
        raise UserError(
            "the format onnx needs the package onnx, which is not installed. Install textgen with the extra [onnx]."
        ) from None
    graph = _Graph(onnx)
    inputs, outputs = (graph.add_step if model.config.causal else graph.add_window)(weights_of(model), model)
    content = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "textgen", inputs, outputs, graph.constants),
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="textgen",
    )
    onnx.checker.check_model(content)
    write_atomically(directory / FILE_NAME, content.SerializeToString())


class _Graph:
    """Nodes and constants of a graph; every method returns the name of the tensor that it adds."""

    def __init__(self, onnx: Any):
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add_step(self, weights: NetworkWeights, model: LanguageModel) -> tuple[list[Any], list[Any]]:
        """Adds one step of a causal network; returns inputs and outputs."""
        x = self._node("Gather", self._constant(weights.embedding), "ids")
        x, zero = self._node("Unsqueeze", x, self._integers(0)), self._integers(0)
        inputs, outputs = [self._tensor("ids", "INT32", ["N"])], [self._tensor("logits", "FLOAT", ["N", None])]
        for number, (lstm,) in enumerate(weights.layers):
            names = [f"state_{2 * number}", f"state_{2 * number + 1}"]
            before = [self._node("Unsqueeze", name, zero) for name in names]
            y, *after = self._lstm((lstm,), x, lengths="", states=before)
            for name, state in zip(names, after, strict=True):
                self._node("Squeeze", state, zero, output=f"new_{name}")
                inputs.append(self._tensor(name, "FLOAT", ["N", lstm.units]))
                outputs.append(self._tensor(f"new_{name}", "FLOAT", ["N", lstm.units]))
            x = self._node("Squeeze", y, self._integers(1))
        self._head(weights, self._node("Squeeze", x, zero))
        return inputs, outputs

    def add_window(self, weights: NetworkWeights, model: LanguageModel) -> tuple[list[Any], list[Any]]:
        """Adds the reading of a window; returns inputs and outputs."""
        is_token = self._node("Cast", "ids", to=self._onnx.TensorProto.BOOL)
        counts = self._node("Cast", is_token, to=self._onnx.TensorProto.INT32)
        lengths = self._node("ReduceSum", counts, self._integers(1), keepdims=0)
        ids = self._node("Transpose", "ids", perm=[1, 0])
        x = self._node("Gather", self._constant(weights.embedding), ids)
        for directions in weights.layers:
            y, h, _ = self._lstm(directions, x, lengths=lengths, states=["", ""])
            x = self._merged(weights.merge, y, axis=1)
        last = self._merged(weights.merge, h, axis=0)
        if weights.pooling is not None:
            last = self._pool(weights, x, self._node("Transpose", is_token, perm=[1, 0]))
        self._head(weights, last)
        return (
            [self._tensor("ids", "INT32", ["N", model.window])],
            [self._tensor("logits", "FLOAT", ["N", None])],
        )

    def _lstm(
        self, directions: tuple[LstmWeights, ...], x: str, *, lengths: str, states: list[str]
    ) -> tuple[str, str, str]:
        """Adds an LSTM over x [T, N, I]; returns all outputs [T, directions, N, U], and the last h and c."""
        kernels = [np.stack([_gates(getattr(one, name).T) for one in directions]) for name in ("kernel", "recurrent")]
        biases = np.stack([np.concatenate([_gates(one.bias), np.zeros_like(one.bias)]) for one in directions])
        names = [x, *map(self._constant, (*kernels, biases)), lengths, *states]
        outputs = [f"lstm_{len(self.nodes)}_{name}" for name in ("y", "h", "c")]
        direction = "bidirectional" if len(directions) == 2 else "forward"
        self.nodes.append(
            self._onnx.helper.make_node("LSTM", names, outputs, direction=direction, hidden_size=directions[0].units)
        )
        return outputs[0], outputs[1], outputs[2]

    def _merged(self, merge: str, x: str, *, axis: int) -> str:
        """Merges two directions, which stand along an axis of x."""
        parts = [self._node("Gather", x, self._constant(np.array(i, np.int64)), axis=axis) for i in range(2)]
        if merge == "concat":
            return self._node("Concat", *parts, axis=-1)
        if merge == "ave":
            return self._node("Mul", self._node("Add", *parts), self._constant(np.float32(0.5)))
        return self._node(_MERGES[merge], *parts)

    def _pool(self, weights: NetworkWeights, x: str, is_token: str) -> str:
        """Pools x [W, N, D] by attention, as `AttentionPooling` does; is_token is bool [W, N]."""
        assert weights.pooling is not None
        kernel, bias, score = map(self._constant, weights.pooling)
        hidden = self._node("Tanh", self._node("Add", self._node("MatMul", x, kernel), bias))
        mask = self._node("Unsqueeze", is_token, self._integers(2))
        scores = self._node(
            "Where", mask, self._node("MatMul", hidden, score), self._constant(np.float32(MASKED_LOGIT))
        )
        weighted = self._node("Mul", self._node("Softmax", scores, axis=0), x)
        return self._node("ReduceSum", weighted, self._integers(0), keepdims=0)

    def _head(self, weights: NetworkWeights, x: str) -> None:
        if weights.projection is not None:
            kernel, bias = map(self._constant, weights.projection)
            x = self._node("Add", self._node("MatMul", x, kernel), bias)
        table = self._constant(np.ascontiguousarray(weights.table.T))
        self._node("Add", self._node("MatMul", x, table), self._constant(weights.bias), output="logits")

    def _node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def _constant(self, value: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def _integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _tensor(self, name: str, kind: str, shape: list[Any]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, getattr(self._onnx.TensorProto, kind), shape)


def _gates(weights: np.ndarray) -> np.ndarray:
    """Puts the gates, [4U, ...], from Keras's order, input, forget, cell, output, into that of ONNX."""
    i, f, c, o = np.split(weights, 4)
    return np.concatenate([i, o, f, c])
