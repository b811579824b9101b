from textgen.dataset.storage.split_counts import SplitCounts, sum_counts

ONE = SplitCounts(documents=1, characters=20, tokens=5, unknown=2, pairs=6)


def test_counts_are_added_field_by_field() -> None:
    total = sum_counts([ONE, SplitCounts(documents=2, pairs=1), ONE])
    assert total == SplitCounts(documents=4, characters=40, tokens=10, unknown=4, pairs=13)
    assert SplitCounts(documents=1, characters=20, tokens=5, unknown=2, pairs=6) == ONE
    assert sum_counts([]) == SplitCounts()
