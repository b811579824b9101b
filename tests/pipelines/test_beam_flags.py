import pytest

from pipelines.beam_flags import known_flags
from textgen.errors import UserError


def test_hyphens_are_spelled_as_beam_spells_them() -> None:
    given = ["--flink-master", "a-b:1", "--job-endpoint=c-d:2", "--direct_num_workers=1"]
    assert known_flags(given) == ["--flink_master", "a-b:1", "--job_endpoint=c-d:2", "--direct_num_workers=1"]


@pytest.mark.parametrize("flag", ["--vocab-size=3", "stray"])
def test_an_unknown_option_is_an_error(flag: str) -> None:
    with pytest.raises(UserError, match="neither textgen nor Beam knows"):
        known_flags([flag])


def test_a_value_that_beam_cannot_read_is_refused() -> None:
    with pytest.raises(UserError, match="direct_num_workers"):
        known_flags(["--direct_num_workers=many"])
