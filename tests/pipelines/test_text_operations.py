from concurrent.futures import ThreadPoolExecutor

from pipelines.text_operations import text_operations
from textgen.config import SelectionConfig, TextConfig


def test_threads_share_the_operations_of_the_same_settings() -> None:
    settings = TextConfig(), SelectionConfig(min_tokens=2), b""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: text_operations(*settings), range(8)))
    assert len(set(map(id, made))) == 1
    assert [each.reason for each in made[0].filters] == ["too short"]
    other = text_operations(TextConfig(case="keep"), SelectionConfig(), b"")
    assert other is not made[0] and not other.filters
