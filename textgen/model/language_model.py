"""The base of all networks: embedding → layers of one network → output head, as one Keras model."""

import os
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from textgen.config import ModelConfig, from_json, to_json
from textgen.model.lm_head import Logits


class LanguageModel(keras.Model):
    """A language model: ids, int32 [B, T], padded on the right with 0 → float32 logits of the next token.

    The outputs are logits, not probabilities: compile it with
    `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`.

    A network is a subclass: `add_layers` makes the layers between embedding and head, `encode` runs them,
    `state_widths` lists the states of a causal network, and `count_products` counts what a prediction costs.

    Layers are made and built in the order in which data flows: this order gives each its seed, and the list of
    variables.

    Attributes:
        config: the settings of the network.
        vocabulary_size: V, the number of ids.
        window: W, the longest sequence in training.
        embedding: the table of token vectors, [V, E].
        projection: the layer from D to E in front of a tied head, None without one.
        head: the output layer, hidden [..., D] → logits [..., V].
        hidden_size: D, the width of the vectors that the head reads.
        lstms: all LSTM layers, one per direction.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        vocabulary_size: int,
        window: int,
        precision: str = "float32",
        name: str | None = None,
    ):
        """Builds the network with initial weights.

        Args:
            config: the settings of the network.
            vocabulary_size: V.
            window: W.
            precision: of activations, `float32` or `bfloat16`; weights and logits are float32.
            name: the model's; by default that of the network.
        """
        policy = keras.DTypePolicy("mixed_bfloat16" if precision == "bfloat16" else precision)
        super().__init__(name=name or config.network, dtype=policy)
        self.config, self.vocabulary_size, self.window = config, vocabulary_size, window
        self.precision = precision
        self.lstms: list[keras.layers.LSTM] = []
        self.embedding = keras.layers.Embedding(
            vocabulary_size, config.embedding, mask_zero=True, dtype=policy, name="embedding"
        )
        self.embedding.build((None, window))
        width = self.add_layers(config.embedding, policy)
        self.projection = None
        if config.tied and width != config.embedding:
            self.projection = keras.layers.Dense(config.embedding, dtype=policy, name="projection")
            self.projection.build((None, width))
            width = config.embedding
        self.head = Logits(vocabulary_size, tied_to=self.embedding if config.tied else None, name="logits")
        self.head.build((None, width))
        self.hidden_size = width
        self.built = True

    def add_layers(self, width: int, policy: keras.DTypePolicy) -> int:
        """Makes and builds the layers between embedding and head.

        Args:
            width: E, of the vectors that they read.
            policy: the precision of each layer.

        Returns:
            The width of the vectors that they give.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError

    @classmethod
    def count_products(cls, config: ModelConfig, *, window: int) -> tuple[int, int]:
        """Counts the multiplications per prediction in the matrix products of the layers that `add_layers` makes.

        Args:
            config: settings of the network.
            window: W, number of tokens of context.

        Returns:
            The number of multiplications in the forward pass, and the width of the vectors that the layers give.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError

    def keep(self, *layers: keras.layers.Layer) -> None:
        """Makes each layer an attribute of its own name.

        TensorFlow's checkpoints find a layer by an attribute; of a list of layers they would save nothing, silently.
        """
        for layer in layers:
            setattr(self, layer.name, layer)

    def encode(
        self, x: tf.Tensor, mask: tf.Tensor, states: Sequence[tf.Tensor] | None, training: bool | None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs the layers between embedding and head.

        Args:
            x: token vectors, [B, T, E].
            mask: bool [B, T], False at padding.
            states: the states to continue from, None for the network's first.
            training: whether dropout is active.

        Returns:
            The vectors [..., width] and the states after the last token of each row.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError

    def hidden(
        self, ids: tf.Tensor, states: Sequence[tf.Tensor] | None = None, *, training: bool | None = None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the vectors that the head reads, [..., D], and the states after each row; see `call`."""
        x, after = self.encode(self.embedding(ids), self.embedding.compute_mask(ids), states, training)
        return x if self.projection is None else self.projection(x), after

    def call(
        self, ids: tf.Tensor, states: Sequence[tf.Tensor] | None = None, training: bool | None = None
    ) -> tf.Tensor | tuple[tf.Tensor, list[tf.Tensor]]:
        """Predicts the next token.

        Args:
            ids: int32 [B, T], each row at least one token and then padding (0), as cuDNN demands of the mask.
            states: of a causal network, those that the rows continue from; see `initial_states`.
            training: whether dropout is active.

        Returns:
            Float32 logits: [B, V] after the window, or of a causal network [B, T, V] after every position. With
            `states` also the states after the last token of each row.
        """
        hidden, after = self.hidden(ids, states, training=training)
        logits = self.head(hidden)
        return logits if states is None else (logits, after)

    @property
    def state_widths(self) -> list[int]:
        """The width of each state that `call` takes and returns; empty where the network is not causal."""
        return []

    def initial_states(self, rows: int | tf.Tensor) -> list[tf.Tensor]:
        """Returns the states before the first token: zeros [rows, width], in the precision of activations."""
        return [tf.zeros([rows, width], self.compute_dtype) for width in self.state_widths]

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Configures training as `keras.Model.compile` does, and warns of a loss that takes probabilities.

        Args:
            *arguments: see `keras.Model.compile`.
            **options: see `keras.Model.compile`; as loss take
                `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`.
        """
        super().compile(*arguments, **options)
        if any(_takes_probabilities(loss) for loss in tf.nest.flatten(self.loss)):
            warnings.warn(
                "the loss is a cross-entropy that takes probabilities, but this network returns logits. "
                "Use keras.losses.SparseCategoricalCrossentropy(from_logits=True).",
                stacklevel=2,
            )

    def export(self, filepath: str | os.PathLike[str], *arguments: Any, **options: Any) -> None:
        """Exports the network as `keras.Model.export` does, by default for ids int32 [B, T] of any B and T.

        Keras infers the input only for models whose weights are made when they are first called.

        Args:
            filepath: folder of the SavedModel.
            *arguments: see `keras.Model.export`.
            **options: see `keras.Model.export`.

        Raises:
            ValueError: an argument is invalid.
        """
        options.setdefault("input_signature", [keras.InputSpec(shape=(None, None), dtype="int32", name="ids")])
        super().export(os.fspath(filepath), *arguments, **options)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make this network again, as plain values."""
        return {
            "config": to_json(self.config),
            "vocabulary_size": self.vocabulary_size,
            "window": self.window,
            "precision": self.precision,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LanguageModel":
        """Makes the network that `get_config` describes, with new weights."""
        return cls(**{**config, "config": from_json(ModelConfig, config["config"])})


def _takes_probabilities(loss: Any) -> bool:
    """Returns whether a loss, as Keras takes it, is a cross-entropy of probabilities instead of logits."""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", "")
    return "crossentropy" in name.replace("_", "").lower() or getattr(loss, "from_logits", None) is False
