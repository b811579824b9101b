import pytest

from pipelines.manifest_size import expected_bytes, require_readable_manifest, too_large
from textgen.config import PrepareConfig, TextConfig
from textgen.dataset.storage.manifest import MAX_BYTES
from textgen.errors import UserError


def config_of(layout: str) -> PrepareConfig:
    return PrepareConfig(text=TextConfig(), layout=layout)


@pytest.mark.parametrize(("layout", "fits", "may_not", "does_not"), [
    ("pairs", 4 * 10**12, 10**13, 4 * 10**13), ("spans", 8 * 10**12, 2 * 10**13, 4 * 10**14),
])  # fmt: skip
def test_a_corpus_that_is_too_large_is_told_before_the_work(
    layout: str, fits: int, may_not: int, does_not: int, capsys: pytest.CaptureFixture[str]
) -> None:
    require_readable_manifest(fits, config_of(layout))
    assert capsys.readouterr().err == ""
    require_readable_manifest(may_not, config_of(layout))
    told = capsys.readouterr().err
    assert "if all of the input is English text; it must have at most 4.29 GB. Divide the input into datasets" in told
    with pytest.raises(UserError, match=r"would have .* GB; it must have at most 4\.29"):
        require_readable_manifest(does_not, config_of(layout))


def test_sizes_grow_with_the_corpus() -> None:
    config = config_of("spans")
    assert expected_bytes(10**12, config) < MAX_BYTES < expected_bytes(10**14, config)
    assert "2.00 GB" in str(too_large(2 * 10**9))
