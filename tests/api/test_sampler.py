from pathlib import Path

from textgen import Run
from textgen.api.sampler import sampler_maker


def test_a_sample_is_written_with_the_settings_of_the_run(run: Run) -> None:
    settings = run.config.train
    sample = sampler_maker(Path(run.path))(run.model, run.config)
    expected = run.generate(
        settings.sample_prompt,
        tokens=settings.sample_tokens,
        temperature=settings.sample_temperature,
        seed=settings.seed,
    )
    assert sample() == sample() == expected
