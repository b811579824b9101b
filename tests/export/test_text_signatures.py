"""The signatures are tested as a whole by test_saved_model.py; here, that they have all settings and defaults."""

from textgen.config import GenerationConfig
from textgen.export import text_signatures

NOT_IN_A_GRAPH = {"beams", "length_penalty", "neural_cache", "neural_cache_sharpness", "neural_cache_weight"}
OTHER_NAMES = {"tokens": {"max_tokens"}, "logit_bias": {"bias_ids", "biases"}, "ban": {"bias_ids", "biases"}}


def test_every_setting_of_generation_has_its_default():
    found, config = text_signatures._default_settings(), GenerationConfig()
    own = {
        name: OTHER_NAMES.get(name, {name}) for name in GenerationConfig.own_settings if name not in NOT_IN_A_GRAPH
    }
    assert set(found) == set.union(*own.values())
    for name, tensor in found.items():
        value = getattr(config, {"max_tokens": "tokens"}.get(name, name), ())
        assert tensor.numpy().tolist() == (list(value) if isinstance(value, tuple) else value)
