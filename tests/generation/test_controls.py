import pytest
import tensorflow as tf

from textgen.config import GenerationConfig, TextConfig
from textgen.errors import UserError
from textgen.generation.controls import Controls, control_specs, make_controls
from textgen.model.masking import MASKED_LOGIT
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def words() -> Preprocessor:
    return Preprocessor(TextConfig(), Vocabulary(("the", "whale", "sea"), (3, 2, 1)))


def _made(words: Preprocessor, *configs: GenerationConfig) -> Controls:
    return make_controls(configs, words)


def test_every_setting_is_a_tensor_of_its_spec(words: Preprocessor):
    controls = _made(words, GenerationConfig(temperature=(2, 1)), GenerationConfig(stop="a", ban="sea", top_k=3))
    for found, spec in zip(controls, control_specs(), strict=True):
        assert spec.is_compatible_with(found), spec
        assert found.shape[0] == 2
    assert controls.temperatures.numpy().tolist() == [[2, 1], [1, 1]]
    assert controls.top_k.numpy().tolist() == [0, 3]
    assert controls.stops.numpy().tolist() == [[b""], [b"a"]]
    assert controls.bias_ids.numpy().tolist() == [[-1], [6]]
    assert controls.biases.numpy().tolist() == [[0], [MASKED_LOGIT]]


def test_no_texts_have_controls_too(words: Preprocessor):
    assert all(found.shape[0] == 0 for found in _made(words))


def test_a_token_is_given_by_its_text_in_the_vocabulary_or_cleaned_or_its_id(words: Preprocessor):
    controls = _made(words, GenerationConfig(logit_bias={"whale": 2, "THE": -1, 6: 0.5, "[EOS]": 1}))
    found = zip(controls.bias_ids.numpy()[0], controls.biases.numpy()[0], strict=True)
    assert dict(found) == {5: 2, 4: -1, 6: 0.5, 3: 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"ban": "squid"},
            "ban has 'squid', which is no token of the vocabulary, but a text with unknown tokens. Give",
        ),
        ({"ban": "the whale"}, "ban has 'the whale', which is no token of the vocabulary, but 2 tokens"),
        ({"logit_bias": {"": 1}}, "logit bias has '', which is no token of the vocabulary, but no text"),
        ({"logit_bias": {7: 1}}, "logit bias has the id 7; ids are from 0 to 6"),
        ({"ban": ("the", "whale", "sea")}, "all 3 tokens are banned; at least one must be allowed"),
    ],
)
def test_a_token_that_is_not_there_is_refused(words: Preprocessor, settings: dict, message: str):
    with pytest.raises(UserError) as refused:
        _made(words, GenerationConfig(**settings))
    assert message in str(refused.value)


def test_a_graph_takes_controls_as_one_argument(words: Preprocessor):
    sizes = tf.function(lambda controls: tf.shape(controls.stops), input_signature=[control_specs()])
    assert sizes(_made(words, GenerationConfig(stop=("a", "bc")))).numpy().tolist() == [1, 2]
