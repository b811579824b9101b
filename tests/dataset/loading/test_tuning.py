from textgen.dataset import read_pairs
from textgen.dataset.loading.tuning import DEFAULT_TUNING, Tuning

UNITS = [{"train": [list(range(4, 34)), list(range(50, 62)), list(range(70, 79))]}]


def targets(folder, tuning):
    return [y.tolist() for _, y in read_pairs(folder, batch_size=7, seed=1, tuning=tuning).as_numpy_iterator()]


def test_only_the_group_sizes_change_the_order(build_dataset, tmp_path):
    folder = build_dataset(tmp_path / "data", UNITS, layout="spans", block_pairs=8)
    expected = targets(folder, DEFAULT_TUNING)
    assert targets(folder, Tuning(chunk_pairs=5, chunk_ids=20, parallel_chunks=1)) == expected
    other = targets(folder, Tuning(group_blocks=1))
    assert other != expected
    assert sorted(sum(other, [])) == sorted(sum(expected, []))
