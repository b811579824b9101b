from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.text_operations import text_operations
from textgen.config import SelectionConfig, TextConfig
from textgen.errors import UserError


def test_threads_share_the_operations_of_the_same_settings() -> None:
    settings = TextConfig(), SelectionConfig(min_tokens=2), b""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: text_operations(*settings), range(8)))
    assert len(set(map(id, made))) == 1
    assert [each.reason for each in made[0].filters] == ["too short"]
    other = text_operations(TextConfig(case="keep"), SelectionConfig(), b"")
    assert other is not made[0] and not other.filters


@pytest.mark.parametrize(("value", "calls"), [("", 0), ("graph", 1)])
def test_the_environment_can_leave_all_text_to_the_graph(
    monkeypatch: pytest.MonkeyPatch, value: str, calls: int
) -> None:
    monkeypatch.setenv("TEXTGEN_TEXT", value)
    operations = text_operations(TextConfig(), SelectionConfig(), b"")
    tokenize, met = operations._tokenize, []
    monkeypatch.setattr(operations.tokenizer, "_graph", lambda *texts: met.append(texts) or tokenize(*texts))
    assert operations.tokenizer.tokenize([b"A b"], [False], operations.tokenizer.numbers()).texts() == [b"a b"]
    assert len(met) == calls


def test_another_value_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_TEXT", "grph")
    with pytest.raises(UserError, match=r"TEXTGEN_TEXT is 'grph'; it must be empty, or 'graph' .* Unset it\."):
        text_operations(TextConfig(), SelectionConfig(), b"")
