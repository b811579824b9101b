"""Settings of a network, of its training, and of the neural cache that scores it."""

import dataclasses

from textgen.config.fields import Setting, Settings, setting
from textgen.errors import require

CAUSAL = {"bilstm": False, "lstm": True}
"""By network: whether a prediction sees only the tokens before it, so that every position has a target."""

_MAX_LAYERS, _MAX_WIDTH, _MAX_BATCH = 1000, 1 << 20, 1 << 24
"""Bounds of the sizes of layers and of batches: far beyond what trains, and small enough to compute with."""

SAMPLED_FROM = 50_000
"""Number of tokens above which the softmax `auto` is the sampled one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig(Settings):
    """Settings of the network: embedding → LSTM layers, each followed by dropout → logits over the vocabulary."""

    network: str = setting(
        "bilstm", choices=tuple(CAUSAL), group="network",
        help="bilstm: reads a window in both directions and predicts the next token; lstm: reads forward and "
        "predicts a token at every position (needs the spans layout)",
    )  # fmt: skip
    embedding: int = setting(128, at_least=1, limit=_MAX_WIDTH, group="network", help="size of the token embeddings")
    layers: int = setting(1, at_least=1, limit=_MAX_LAYERS, group="network", help="number of LSTM layers")
    units: tuple[int, ...] = setting(
        (128,),
        at_least=1,
        limit=_MAX_WIDTH,
        group="network",
        help="number of units per layer and direction: one number, or one per layer",
    )
    merge: str = setting(
        "concat", choices=("concat", "sum", "ave", "mul"), group="network", advanced=True,
        help="how a bidirectional layer joins the outputs of its two directions",
    )  # fmt: skip
    pooling: str = setting(
        "last", choices=("last", "attention"), group="network", advanced=True,
        help="how a bilstm reduces a window to one vector: the last state of each direction, or attention over all "
        "positions",
    )  # fmt: skip
    dropout: float = setting(
        0.0, at_least=0, below=1, group="network", help="fraction of each layer's outputs dropped in training"
    )
    tied: bool = setting(
        False, group="network", help="use the embedding matrix as the output matrix too (Press & Wolf 2017)"
    )

    def check_together(self) -> None:
        """Checks that the numbers of units and the options of the network fit.

        Raises:
            UserError: they do not.
        """
        require(
            len(self.units) in (1, self.layers),
            f"units has {len(self.units)} numbers, but layers is {self.layers}; "
            "give one number for all layers, or one per layer.",
        )
        require(
            not self.causal or (self.merge, self.pooling) == ("concat", "last"),
            f"merge and pooling are set, but the network {self.network} has one direction and a target at every "
            "position. Leave them out, or use --network bilstm.",
        )

    @property
    def causal(self) -> bool:
        """Whether the network reads forwards only, predicts at every position, and continues from states."""
        return CAUSAL[self.network]

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each layer."""
        return self.units if len(self.units) == self.layers else self.units * self.layers


CONNECT_MINUTES = 5.0
"""Default time in which all processes of a cluster must come."""

MAX_WINDOW = 4096
"""Largest number of tokens of context."""

WINDOW = Setting(
    name="window", kind=int, default=None, optional=True, at_least=1, at_most=MAX_WINDOW, group="batches",
    metavar="W", help="number of tokens of context; only the spans layout allows another than the dataset's "
    "(default: the dataset's)",
)  # fmt: skip
"""A run's window. It is the run's own, beside its ModelConfig and TrainConfig, since it comes from the dataset."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(Settings):
    """Settings of the training of a network."""

    batch_size: int = setting(
        256, at_least=1, limit=_MAX_BATCH, group="batches",
        help="number of pairs per step over all devices; for an lstm, number of rows of up to W targets",
    )  # fmt: skip
    epochs: int = setting(
        10,
        at_least=1,
        limit=10**9,
        group="batches",
        changeable=True,
        help="maximum number of passes over the training split",
    )
    optimizer: str = setting("adam", choices=("adam", "adamw", "rmsprop", "sgd"), group="optimizer", help="optimizer")
    learning_rate: float = setting(
        0.001, above=0, group="optimizer", changeable=True, help="highest learning rate of the schedule"
    )
    schedule: str = setting(
        "constant", choices=("constant", "cosine", "plateau"), group="optimizer", changeable=True,
        help="learning rate over time; cosine: falls to a hundredth at --decay-steps, or when --max-minutes end; "
        "plateau: is halved when the validation loss stops improving",
    )  # fmt: skip
    warmup_steps: int = setting(
        0, at_least=0, group="optimizer", changeable=True,
        help="number of steps in which the learning rate rises from 0",
    )  # fmt: skip
    decay_steps: int = setting(
        0, at_least=0, group="optimizer", changeable=True, advanced=True,
        help="step at which the cosine schedule ends; 0: the last step of the run",
    )  # fmt: skip
    plateau_patience: int = setting(
        1, at_least=1, group="optimizer", changeable=True, advanced=True,
        help="number of validations without a lower loss before plateau halves the learning rate",
    )  # fmt: skip
    weight_decay: float = setting(
        0.0, at_least=0, group="optimizer",
        help="decoupled decay of all weights except biases (Loshchilov & Hutter 2019); 0: none",
    )  # fmt: skip
    momentum: float = setting(0.0, at_least=0, below=1, group="optimizer", advanced=True, help="momentum of sgd")
    clip_norm: float = setting(
        1.0, at_least=0, remedy="Use 0 for no clipping.", group="optimizer", changeable=True,
        help="maximum global norm of the gradient; 0: no clipping",
    )  # fmt: skip
    label_smoothing: float = setting(
        0.0, at_least=0, below=1, group="loss",
        help="fraction of each target's probability that is spread over the vocabulary; reported losses leave it out",
    )  # fmt: skip
    micro_batches: int = setting(
        1, at_least=1, limit=_MAX_BATCH, group="batches", former="parts", changeable=True,
        help="minimum number of micro-batches that a batch is trained in, one after another, to save memory; the "
        "gradient is the same, and two CPU cores take micro-batches of 128 rows anyway",
    )  # fmt: skip
    precision: str = setting(
        "float32", choices=("float32", "bfloat16"), group="network",
        help="precision of the activations; weights, logits and loss are float32",
    )  # fmt: skip
    softmax: str = setting(
        "auto", choices=("auto", "full", "sampled"), group="loss", advanced=True,
        help=f"softmax of the training loss; sampled: over a sample of the tokens (Jean et al. 2015); auto: sampled "
        f"for more than {SAMPLED_FROM:,} tokens",
    )  # fmt: skip
    sampled_tokens: int = setting(
        4096,
        at_least=1,
        limit=_MAX_BATCH,
        group="loss",
        advanced=True,
        help="number of tokens that the sampled softmax draws per step",
    )
    stateful: bool = setting(
        False, group="batches", former="carry",
        help="for an lstm: start each row from the state in which the row of the batch before ended",
    )  # fmt: skip
    patience: int = setting(
        3, at_least=1, group="validation", changeable=True,
        help="number of validations without a lower loss before training stops",
    )  # fmt: skip
    validate_every: int = setting(
        0, at_least=0, group="validation", changeable=True, help="number of steps between validations; 0: an epoch"
    )
    checkpoint_minutes: float = setting(
        5.0, at_least=0, remedy="Use 0 for a checkpoint after every graph call.", group="checkpoints",
        changeable=True, advanced=True, metavar="MINUTES",
        help="minutes between checkpoints, which is the most work that a killed run loses",
    )  # fmt: skip
    keep_checkpoints: int = setting(
        2, at_least=1, group="checkpoints", changeable=True, advanced=True, help="number of last checkpoints to keep"
    )
    seed: int = setting(
        0, at_least=0, at_most=2**31 - 1, group="batches",
        help="seed of the initial weights, the order of the pairs, dropout and the samples",
    )  # fmt: skip
    sample_prompt: str = setting("", group="samples", metavar="TEXT", help="prompt that the samples continue")
    sample_temperature: float = setting(
        0.8, at_least=0, remedy="Use 0 for the most likely token.", group="samples",
        help="temperature of the samples; 0: always the most likely token",
    )  # fmt: skip
    sample_tokens: int = setting(50, at_least=1, limit=10**6, group="samples", help="number of new tokens per sample")

    def check_together(self) -> None:
        """Checks that the optimizer, the schedule and the softmax have the settings that they need, and no others.

        Raises:
            UserError: they do not.
        """
        require(
            self.optimizer != "adamw" or self.weight_decay > 0,
            "weight decay is 0 with the optimizer adamw, which is then adam. "
            "Add --weight-decay 0.01, or use --optimizer adam.",
        )
        require(
            self.momentum == 0 or self.optimizer == "sgd",
            f"momentum is {self.momentum:g} with the optimizer {self.optimizer}; only sgd has momentum. "
            "Leave --momentum out, or use --optimizer sgd.",
        )
        require(
            self.decay_steps == 0 or self.schedule == "cosine",
            f"decay steps is {self.decay_steps} with the schedule {self.schedule}; only cosine has a last step. "
            "Leave --decay-steps out, or use --schedule cosine.",
        )
        require(
            self.softmax != "sampled" or self.label_smoothing == 0,
            f"label smoothing is {self.label_smoothing:g} with a sampled softmax, which lacks the logits of all "
            "tokens. Use --softmax full, or leave --label-smoothing out.",
        )

    def samples_softmax(self, vocabulary_size: int) -> bool:
        """Returns whether training samples the softmax of a vocabulary of this size."""
        if self.softmax == "auto":
            return vocabulary_size > SAMPLED_FROM and self.label_smoothing == 0
        return self.softmax == "sampled"


MAX_CACHED_TOKENS = 10_000_000
"""Maximum size of a neural cache, which takes some gigabytes per text."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NeuralCacheConfig(Settings):
    """Settings of the neural cache of an `lstm` (`textgen.model.neural_cache`); the defaults suit characters."""

    tokens: int = setting(
        0, at_least=0, limit=MAX_CACHED_TOKENS, option="neural-cache", former="memory", group="neural cache",
        help="use a cache of the last N tokens of the document beside the lstm (Grave et al. 2017); 0: no cache",
    )  # fmt: skip
    sharpness: float = setting(
        18.0, above=0, option="neural-cache-sharpness", former="memory-sharpness", group="neural cache",
        advanced=True, metavar="THETA",
        help="factor of the similarity between the current hidden state and a cached one",
    )  # fmt: skip
    weight: float = setting(
        0.25, above=0, below=1, option="neural-cache-weight", former="memory-share", group="neural cache",
        advanced=True, metavar="LAMBDA", help="weight of the cache in the mixture with the network's prediction",
    )  # fmt: skip


NO_NEURAL_CACHE = NeuralCacheConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptationConfig(Settings):
    """Settings of dynamic evaluation (`textgen.model.adaptation`)."""

    adapt: bool = setting(
        False, group="adaptation",
        help="let the weights follow what was read, and decay back (dynamic evaluation, Krause et al. 2018)",
    )  # fmt: skip
    adapt_rate: float | None = setting(
        None, above=0, group="adaptation", metavar="ETA",
        help="step size along the gradient of what was read (default: that of evaluate --tune-adaptation, or 0.03)",
    )  # fmt: skip
    adapt_decay: float | None = setting(
        None, at_least=0, below=1, group="adaptation", metavar="LAMBDA",
        help="share of the way back to the trained weights at each step (default: that of evaluate "
        "--tune-adaptation, or 0.001)",
    )  # fmt: skip
    adapt_tokens: int = setting(
        32, at_least=1, at_most=4096, group="adaptation", advanced=True,
        help="number of tokens that are read, and scored, between two steps",
    )  # fmt: skip

    def check_together(self) -> None:
        """Checks that no step size is set where no step is made.

        Raises:
            UserError: one is.
        """
        for name in ("adapt_rate", "adapt_decay"):
            value, declared = getattr(self, name), self.own_settings[name]
            require(
                self.adapt or value is None,
                f"{declared.label} is {value}, and the weights stay as they are. Add --adapt, or leave "
                f"{declared.flag} out.",
            )


NO_ADAPTATION = AdaptationConfig()
