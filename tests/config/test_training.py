import json
import math

import pytest

from textgen.config import AdaptationConfig, ModelConfig, NeuralCacheConfig, TrainConfig, from_json, to_json
from textgen.config.training import SAMPLED_FROM
from textgen.errors import UserError


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (ModelConfig, {"network": "gru"}, r"network is 'gru'; it must be one of: bilstm, lstm\."),
        (ModelConfig, {"embedding": 0}, r"embedding is 0; it must be at least 1\."),
        (ModelConfig, {"layers": 0}, r"layers is 0; it must be at least 1\."),
        (ModelConfig, {"units": -5}, r"units is -5; it must be at least 1\."),
        (ModelConfig, {"units": (8, 0), "layers": 2}, r"units is 0; it must be at least 1\."),
        (
            ModelConfig,
            {"units": (8, 4)},
            r"units has 2 numbers, but layers is 1; give one number for all layers, or one per",
        ),
        (ModelConfig, {"units": ()}, r"units has 0 numbers"),
        (ModelConfig, {"merge": "max"}, r"merge is 'max'; it must be one of: concat, sum, ave, mul\."),
        (ModelConfig, {"pooling": "max"}, r"pooling is 'max'; it must be one of: last, attention\."),
        (ModelConfig, {"dropout": 1.0}, r"dropout is 1\.0; it must be at least 0 and below 1\."),
        (ModelConfig, {"dropout": -0.1}, r"dropout is -0\.1; it must be at least 0 and below 1\."),
        (ModelConfig, {"dropout": math.nan}, r"dropout is nan; it must be at least 0 and below 1\."),
        (
            ModelConfig,
            {"network": "lstm", "merge": "sum"},
            r"merge and pooling are set, but the network lstm has one .* Leave them out, or use --net",
        ),
        (ModelConfig, {"network": "lstm", "pooling": "attention"}, r"but the network lstm has one direction"),
        (TrainConfig, {"optimizer": "lion"}, r"optimizer is 'lion'; it must be one of: adam, adamw, rmsprop, sgd\."),
        (TrainConfig, {"schedule": "step"}, r"schedule is 'step'; it must be one of: constant, cosine, plateau\."),
        (TrainConfig, {"precision": "int8"}, r"precision is 'int8'; it must be one of: float32, bfloat16\."),
        (TrainConfig, {"softmax": "tree"}, r"softmax is 'tree'; it must be one of: auto, full, sampled\."),
        (TrainConfig, {"batch_size": 0}, r"batch size is 0; it must be at least 1\."),
        (TrainConfig, {"epochs": 0}, r"epochs is 0; it must be at least 1\."),
        (TrainConfig, {"patience": 0}, r"patience is 0; it must be at least 1\."),
        (TrainConfig, {"plateau_patience": 0}, r"plateau patience is 0; it must be at least 1\."),
        (TrainConfig, {"micro_batches": 0}, r"micro batches is 0; it must be at least 1\."),
        (TrainConfig, {"sampled_tokens": 0}, r"sampled tokens is 0; it must be at least 1\."),
        (TrainConfig, {"keep_checkpoints": 0}, r"keep checkpoints is 0; it must be at least 1\."),
        (TrainConfig, {"sample_tokens": 0}, r"sample tokens is 0; it must be at least 1\."),
        (TrainConfig, {"validate_every": -1}, r"validate every is -1; it must be at least 0\."),
        (TrainConfig, {"warmup_steps": -1}, r"warmup steps is -1; it must be at least 0\."),
        (TrainConfig, {"decay_steps": -1}, r"decay steps is -1; it must be at least 0\."),
        (
            TrainConfig,
            {"clip_norm": -1.0},
            r"clip norm is -1\.0; it must be finite and at least 0\. Use 0 for no clipping\.",
        ),
        (
            TrainConfig,
            {"clip_norm": math.nan},
            r"clip norm is nan; it must be finite and at least 0\. Use 0 for no clipping\.",
        ),
        (TrainConfig, {"clip_norm": math.inf}, r"clip norm is inf; it must be finite and at least 0\."),
        (TrainConfig, {"weight_decay": -0.1}, r"weight decay is -0\.1; it must be finite and at least 0\."),
        (TrainConfig, {"checkpoint_minutes": -1}, r"checkpoint minutes is -1\.0; .* after every graph call\."),
        (
            TrainConfig,
            {"sample_temperature": -1.0},
            r"sample temperature is -1\.0; .* Use 0 for the most likely token\.",
        ),
        (
            TrainConfig,
            {"momentum": 1.0, "optimizer": "sgd"},
            r"momentum is 1\.0; it must be at least 0 and below 1\.",
        ),
        (TrainConfig, {"label_smoothing": 1.0}, r"label smoothing is 1\.0; it must be at least 0 and below 1\."),
        (TrainConfig, {"learning_rate": 0.0}, r"learning rate is 0\.0; it must be finite and above 0\."),
        (TrainConfig, {"learning_rate": math.inf}, r"learning rate is inf; it must be finite and above 0\."),
        (TrainConfig, {"learning_rate": math.nan}, r"learning rate is nan; it must be finite and above 0\."),
        (TrainConfig, {"seed": -1}, r"seed is -1; it must be from 0 to 2,147,483,647\."),
        (
            TrainConfig,
            {"optimizer": "adamw"},
            r"weight decay is 0 with the optimizer adamw, .* Add --weight-decay 0\.01",
        ),
        (
            TrainConfig,
            {"momentum": 0.9},
            r"momentum is 0\.9 with the optimizer adam; only sgd has momentum\. Leave --momentum out",
        ),
        (
            TrainConfig,
            {"decay_steps": 9},
            r"decay steps is 9 with the schedule constant; only cosine .* Leave --decay-steps out",
        ),
        (
            TrainConfig,
            {"softmax": "sampled", "label_smoothing": 0.1},
            r"label smoothing is 0\.1 with a sampled softmax.* Use --softmax full",
        ),
        (ModelConfig, {"layers": 1001}, r"layers is too large; it must be at most 1,000\."),
        (ModelConfig, {"units": 10**9}, r"units is too large; it must be at most 1,048,576\."),
        (TrainConfig, {"batch_size": 10**9}, r"batch size is too large; it must be at most 16,777,216\."),
        (NeuralCacheConfig, {"tokens": -1}, r"neural cache is -1; it must be at least 0\."),
        (NeuralCacheConfig, {"sharpness": 0.0}, r"neural cache sharpness is 0\.0; it must be finite and above 0\."),
        (NeuralCacheConfig, {"sharpness": math.nan}, r"neural cache sharpness is nan"),
        (NeuralCacheConfig, {"sharpness": math.inf}, r"neural cache sharpness is inf"),
        (NeuralCacheConfig, {"weight": 0.0}, r"neural cache weight is 0\.0; it must be above 0 and below 1\."),
        (NeuralCacheConfig, {"weight": 1.0}, r"neural cache weight is 1\.0"),
    ],
)
def test_a_bad_value_is_named_with_its_rule(make, settings, message):
    with pytest.raises(UserError, match=message):
        make(**settings)


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (ModelConfig, {"embedding": 1, "layers": 1, "units": (1,), "dropout": 0}),
        (ModelConfig, {"layers": 3, "units": (7, 8, 9)}),
        (TrainConfig, {"clip_norm": 0, "sample_temperature": 0, "validate_every": 0, "batch_size": 1}),
        (TrainConfig, {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine", "decay_steps": 1}),
        (TrainConfig, {"optimizer": "adamw", "weight_decay": 0.01, "checkpoint_minutes": 0}),
    ],
)
def test_a_value_at_the_edge_of_its_range_is_taken(make, settings):
    made = make(**settings)
    assert {name: getattr(made, name) for name in settings} == settings


def test_one_number_of_units_goes_for_all_layers():
    assert ModelConfig(units=5, layers=3).widths == (5, 5, 5)
    assert ModelConfig(units=(5,), layers=3) == ModelConfig(units=5, layers=3)
    assert ModelConfig(units=(5, 6, 7), layers=3).widths == (5, 6, 7)


def test_the_softmax_is_sampled_where_it_is_asked_for_or_where_there_are_many_tokens():
    assert not TrainConfig().samples_softmax(SAMPLED_FROM)
    assert TrainConfig().samples_softmax(SAMPLED_FROM + 1)
    assert not TrainConfig(softmax="full").samples_softmax(10**6)
    assert TrainConfig(softmax="sampled").samples_softmax(10)
    assert not TrainConfig(label_smoothing=0.1).samples_softmax(10**6)


@pytest.mark.parametrize(
    "made",
    [
        ModelConfig(embedding=3, dropout=0.25, layers=2, units=(3, 4), merge="sum", tied=True),
        TrainConfig(optimizer="sgd", clip_norm=0.0, sample_prompt="“Hör!”\n", stateful=True),
    ],
    ids=lambda made: type(made).__name__,
)
def test_a_config_survives_a_round_trip_through_json(made):
    assert from_json(type(made), json.loads(json.dumps(to_json(made)))) == made
    with pytest.raises(UserError, match=r"unknown settings \['beams'\]"):
        from_json(type(made), {**to_json(made), "beams": 4})


def test_a_setting_under_its_former_name_is_refused_with_its_new_name():
    values = to_json(TrainConfig())
    values["carry"] = values.pop("stateful")
    with pytest.raises(UserError, match=r"carry is now stateful; this was written by another version of textgen\."):
        from_json(TrainConfig, values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"adapt_rate": 0}, "adapt rate is 0.0; it must be finite and above 0"),
        ({"adapt_decay": 1}, "adapt decay is 1.0; it must be at least 0 and below 1"),
        ({"adapt_tokens": 0}, "adapt tokens is 0; it must be from 1 to 4,096"),
        (
            {"adapt_rate": 0.5},
            "adapt rate is 0.5, and the weights stay as they are. Add --adapt, or leave --adapt-rate",
        ),
        ({"adapt_decay": 0.0}, "adapt decay is 0.0, and the weights stay as they are. Add --adapt"),
    ],
)
def test_an_adaptation_that_is_not_allowed_is_refused_with_the_rule(settings: dict, message: str):
    with pytest.raises(UserError) as refused:
        AdaptationConfig(**settings)
    assert message in str(refused.value)
