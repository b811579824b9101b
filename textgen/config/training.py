"""The settings of a network, and of its training."""

import dataclasses
import math

from textgen.config.checks import require_at_least, require_choice, require_finite
from textgen.errors import require

NETWORKS = ("bilstm", "lstm")
MERGES = ("concat", "sum", "ave", "mul")
POOLINGS = ("last", "attention")
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine", "plateau")
PRECISIONS = ("float32", "bfloat16")
SOFTMAXES = ("auto", "full", "sampled")

SAMPLED_FROM = 50_000
"""The vocabulary from which on `auto` takes the sampled softmax."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network: Embedding → LSTM layers → Dropout after each → scores of the vocabulary.

    Attributes:
        network: `bilstm` reads a closed window in both directions and predicts the token after it; `lstm` reads
            forwards alone and predicts the token after every place.
        embedding: width of a token's vector.
        layers: how many.
        units: of each layer and direction; one number goes for all layers.
        merge: how a layer's two directions become one output.
        pooling: what of the last layer is the window's: its `last` states, or an `attention` over all places.
        dropout: the share of a layer's outputs that is left out in training.
        tied: whether scores come from the embedding's own table (Press & Wolf 2017).
    """

    network: str = "bilstm"
    embedding: int = 128
    layers: int = 1
    units: tuple[int, ...] = (128,)
    merge: str = "concat"
    pooling: str = "last"
    dropout: float = 0.0
    tied: bool = False

    def __post_init__(self) -> None:
        # JSON has lists, and callers may have one number.
        units = (self.units,) if isinstance(self.units, int) else tuple(self.units)
        object.__setattr__(self, "units", units)
        require_choice("network", self.network, NETWORKS)
        require_at_least("embedding", self.embedding, 1)
        require_at_least("layers", self.layers, 1)
        require(
            len(units) in (1, self.layers),
            f"units has {len(units)} numbers and there are {self.layers} layers; give one number, or one a layer.",
        )
        for number in units:
            require_at_least("units", number, 1)
        require_choice("merge", self.merge, MERGES)
        require_choice("pooling", self.pooling, POOLINGS)
        require(0 <= self.dropout < 1, f"dropout is {self.dropout}; it must be at least 0 and below 1.")
        require(
            self.network == "bilstm" or (self.merge, self.pooling) == ("concat", "last"),
            "an lstm has one direction and a target at every place, so merge and pooling mean nothing to it. "
            "Leave them out, or use --network bilstm.",
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each layer."""
        return self.units if len(self.units) == self.layers else self.units * self.layers


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the network is trained.

    Attributes:
        batch_size: pairs a step over all replicas; for an `lstm`, rows of up to a window of targets.
        epochs: how often all pairs are seen, at the most.
        optimizer: `adam`, `adamw`, `rmsprop` or `sgd`.
        learning_rate: the highest.
        schedule: `constant`; `cosine`, falling to a hundredth at `decay_steps`; `plateau`, halved whenever the
            monitored loss has not become better for `plateau_patience` checks.
        warmup_steps: in which it rises from 0.
        decay_steps: the last step of `cosine`; 0: the run's last.
        plateau_patience: see `schedule`.
        weight_decay: of all weights but biases, apart from the gradient (Loshchilov & Hutter 2019).
        momentum: of `sgd`.
        clip_norm: bound on the gradient's global norm; 0: none.
        label_smoothing: the share of each target that is spread over all tokens. Reported losses are without it.
        micro_batches: how many parts each batch is trained in at the least, one after another, to save memory; the
            gradient is the same.
        precision: of activations: `float32`, or `bfloat16` with weights, scores and loss in float32.
        softmax: `full`, `sampled` (Jean et al. 2015), or `auto`: sampled from SAMPLED_FROM tokens on.
        sampled_tokens: how many tokens a sampled step draws.
        stateful: for an `lstm`: whether each row goes on from the state that the row before it left.
        patience: checks without a better loss before it stops.
        validate_every: steps between checks; 0: an epoch.
        checkpoint_minutes: the most work that a kill can cost.
        keep_checkpoints: of the last ones.
        seed: of the weights, the order and the samples.
        sample_prompt: what samples go on from.
        sample_temperature: of samples; 0: the likeliest token.
        sample_tokens: of each sample.
    """

    batch_size: int = 256
    epochs: int = 10
    optimizer: str = "adam"
    learning_rate: float = 0.001
    schedule: str = "constant"
    warmup_steps: int = 0
    decay_steps: int = 0
    plateau_patience: int = 1
    weight_decay: float = 0.0
    momentum: float = 0.0
    clip_norm: float = 1.0
    label_smoothing: float = 0.0
    micro_batches: int = 1
    precision: str = "float32"
    softmax: str = "auto"
    sampled_tokens: int = 4096
    stateful: bool = False
    patience: int = 3
    validate_every: int = 0
    checkpoint_minutes: float = 5.0
    keep_checkpoints: int = 2
    seed: int = 0
    sample_prompt: str = ""
    sample_temperature: float = 0.8
    sample_tokens: int = 50

    def __post_init__(self) -> None:
        for name, choices in (
            ("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("precision", PRECISIONS), ("softmax", SOFTMAXES),
        ):  # fmt: skip
            require_choice(name, getattr(self, name), choices)
        for name in (
            "batch_size", "epochs", "patience", "keep_checkpoints", "sample_tokens", "plateau_patience",
            "micro_batches", "sampled_tokens",
        ):  # fmt: skip
            require_at_least(name.replace("_", " "), getattr(self, name), 1)
        for name in ("validate_every", "warmup_steps", "decay_steps"):
            require_at_least(name.replace("_", " "), getattr(self, name), 0)
        for name, remedy in (
            ("clip_norm", "Use 0 for no clipping."), ("sample_temperature", "Use 0 for the likeliest token."),
            ("weight_decay", ""), ("checkpoint_minutes", "Use 0 for a checkpoint after every graph call."),
        ):  # fmt: skip
            require_finite(name.replace("_", " "), getattr(self, name), 0, remedy)
        for name in ("momentum", "label_smoothing"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{name.replace('_', ' ')} is {value}; it must be at least 0 and below 1.")
        require(0 <= self.seed < 2**31, f"seed is {self.seed}; it must be from 0 to 2,147,483,647.")
        require(
            0 < self.learning_rate < math.inf,
            f"learning rate is {self.learning_rate}; it must be a finite number above 0.",
        )
        self._require_that_all_fit()

    def _require_that_all_fit(self) -> None:
        require(
            self.optimizer != "adamw" or self.weight_decay > 0,
            "adamw without weight decay is adam. Add --weight-decay 0.01, or use --optimizer adam.",
        )
        require(
            self.momentum == 0 or self.optimizer == "sgd",
            f"momentum is {self.momentum:g} and the optimizer {self.optimizer}; only sgd takes it.",
        )
        require(
            self.decay_steps == 0 or self.schedule == "cosine",
            f"decay steps is {self.decay_steps} and the schedule {self.schedule}; only cosine takes them.",
        )
        require(
            self.softmax != "sampled" or self.label_smoothing == 0,
            "label smoothing needs the scores of all tokens, which a sampled softmax has not. Use --softmax full.",
        )

    def samples_softmax(self, vocabulary_size: int) -> bool:
        """Whether training takes the sampled softmax."""
        if self.softmax == "auto":
            return vocabulary_size > SAMPLED_FROM and self.label_smoothing == 0
        return self.softmax == "sampled"
