from pathlib import Path

import pytest

from textgen.config import NO_ADAPTATION, AdaptationConfig
from textgen.errors import UserError
from textgen.runs.adaptation_file import DEFAULT, FILE_NAME, StepSizes, save, step_sizes


def test_step_sizes_are_those_of_the_settings_then_those_of_the_run_then_the_default(tmp_path: Path):
    assert step_sizes(tmp_path, NO_ADAPTATION) == DEFAULT
    save(tmp_path, StepSizes(0.5, 0.01))
    assert step_sizes(tmp_path, NO_ADAPTATION) == StepSizes(0.5, 0.01)
    assert step_sizes(tmp_path, AdaptationConfig(adapt=True, adapt_rate=2)) == StepSizes(2.0, 0.01)
    assert step_sizes(tmp_path, AdaptationConfig(adapt=True, adapt_decay=0)) == StepSizes(0.5, 0.0)


@pytest.mark.parametrize("content", ["", "{", '{"rate": -1, "decay": 0}', '{"rate": 1}', "[1, 2]" + " " * 2000])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str):
    (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"adaptation\.json is damaged: .* Make it again by `textgen evaluate --tune"):
        step_sizes(tmp_path, NO_ADAPTATION)
