from textgen.config import ModelConfig
from textgen.model.cost import training_flops


def test_the_cost_worked_out_by_hand():
    # 2 directions, 3 tokens, 4 gates of 5 units from 2 + 5 numbers; 11 logits from 10; twice, and three times that.
    assert training_flops(ModelConfig(embedding=2, layers=1, units=5), vocabulary_size=11, window=3) == 6 * (
        2 * 3 * 4 * 5 * 7 + 110
    )


def test_the_notebook_s_model_costs_what_was_measured_of_it():
    config = ModelConfig(embedding=8, layers=3, units=50)
    assert round(training_flops(config, vocabulary_size=500, window=44) / 1e6) == 38
