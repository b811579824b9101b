import functools
import hashlib
import subprocess
import sys
from collections import Counter

import fsspec
import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen import dataset, errors
from textgen.block_cache import BlockCache
from textgen.dataset.loading import split_reader
from textgen.dataset.loading.tuning import Tuning
from textgen.errors import UserError

WINDOW = 3

# Three units, documents of one token to thirty, some of them alike.
UNITS = [
    {"train": [list(range(4, 34)), [40], [7, 7, 7]], "validation": [[4, 5]]},
    {"train": [list(range(50, 62))]},
    {"train": [list(range(70, 79)), [7, 7, 7]], "validation": [[6]]},
]
TRAIN = [document for unit in UNITS for document in unit["train"]]
BATCH = 7


@pytest.fixture(scope="module")
def folders(build_dataset, tmp_path_factory):
    root = tmp_path_factory.mktemp("datasets")
    return {
        layout: build_dataset(root / layout, UNITS, layout=layout, window=WINDOW, block_pairs=8)
        for layout in ("pairs", "spans")
    }


# Small, so that an epoch of some 70 pairs has several groups and several chunks.
read_pairs = functools.partial(dataset.read_pairs, tuning=Tuning(group_blocks=2, chunk_pairs=20))


def batches(folder, **settings):
    made = read_pairs(folder, **{"batch_size": BATCH, **settings})
    return [(x.tolist(), y.tolist()) for x, y in made.as_numpy_iterator()]


def pairs_of(batches):
    return [(row, target) for x, y in batches for row, target in zip(x, y, strict=True)]


def train_pairs(naive_pairs, stride=1):
    return [pair for document in TRAIN for pair in naive_pairs([2, *document, 3], window=WINDOW, stride=stride)]


EXPECTED = sum(len(document) + 1 for document in TRAIN)
STEPS = -(-EXPECTED // BATCH)

both_layouts = pytest.mark.parametrize("layout", ["pairs", "spans"])


@both_layouts
def test_without_a_seed_the_pairs_come_in_the_order_of_the_corpus(folders, layout, naive_pairs):
    assert pairs_of(batches(folders[layout])) == train_pairs(naive_pairs)


@both_layouts
@pytest.mark.parametrize("seed", [0, 5])
def test_every_pair_is_served_once_an_epoch(folders, layout, seed, naive_pairs):
    served = pairs_of(batches(folders[layout], seed=seed, epochs=2))
    assert sorted(served[:EXPECTED]) == sorted(served[EXPECTED:]) == sorted(train_pairs(naive_pairs))


def test_both_layouts_serve_the_same_pairs(folders):
    one, two = (pairs_of(batches(folders[layout], seed=3)) for layout in ("pairs", "spans"))
    assert sorted(one) == sorted(two)
    assert pairs_of(batches(folders["pairs"])) == pairs_of(batches(folders["spans"]))


@pytest.mark.parametrize("stride", [2, 5])
def test_both_layouts_serve_the_same_pairs_of_every_so_manieth_target(build_dataset, tmp_path, stride, naive_pairs):
    for layout in ("pairs", "spans"):
        folder = build_dataset(tmp_path / layout, UNITS, layout=layout, window=WINDOW, stride=stride)
        assert pairs_of(batches(folder)) == train_pairs(naive_pairs, stride)


def test_both_layouts_serve_ids_beyond_two_bytes(build_dataset, tmp_path, naive_pairs):
    document = [4, 65_535, 65_536, 69_999]
    for layout in ("pairs", "spans"):
        folder = build_dataset(tmp_path / layout, [{"train": [document]}], layout=layout, vocabulary_size=70_000)
        assert pairs_of(batches(folder)) == naive_pairs([2, *document, 3], window=WINDOW)


@both_layouts
def test_the_same_seed_serves_the_same_batches(folders, layout):
    assert batches(folders[layout], seed=1, epochs=2) == batches(folders[layout], seed=1, epochs=2)


@both_layouts
def test_another_seed_and_another_epoch_serve_another_order(folders, layout):
    one, two = batches(folders[layout], seed=1, epochs=2), batches(folders[layout], seed=2)
    assert one[:STEPS] != two
    assert one[:STEPS] != one[STEPS:]
    assert two != batches(folders[layout])


@both_layouts
def test_neighbours_in_a_shuffled_batch_are_not_consecutive_in_the_corpus(folders, layout):
    targets = [target for _, target in pairs_of(batches(folders[layout], seed=1))]
    assert sum(two == one + 1 for one, two in zip(targets, targets[1:], strict=False)) < EXPECTED / 4


@both_layouts
def test_the_last_batch_of_each_epoch_is_short_and_none_spans_two_epochs(folders, layout):
    sizes = [len(y) for _, y in batches(folders[layout], seed=1, epochs=2)]
    assert EXPECTED % BATCH
    assert sizes == [*[BATCH] * (STEPS - 1), EXPECTED % BATCH] * 2


@both_layouts
def test_the_number_of_batches_is_known_beforehand(folders, layout):
    assert read_pairs(folders[layout], batch_size=BATCH).cardinality() == STEPS
    assert read_pairs(folders[layout], batch_size=BATCH, epochs=3, start_step=2).cardinality() == 3 * STEPS - 2
    assert read_pairs(folders[layout], batch_size=EXPECTED).cardinality() == 1
    assert read_pairs(folders[layout], batch_size=EXPECTED + 1).cardinality() == 1
    assert read_pairs(folders[layout], batch_size=1).cardinality() == EXPECTED


@both_layouts
def test_batches_are_int32_of_the_window_s_width(folders, layout):
    stream = read_pairs(folders[layout], batch_size=BATCH)
    assert stream.element_spec == (
        tf.TensorSpec([None, WINDOW], tf.int32),
        tf.TensorSpec([None], tf.int32),
    )
    x, y = next(iter(stream))
    assert (x.dtype, x.shape, y.dtype, y.shape) == (tf.int32, (BATCH, WINDOW), tf.int32, (BATCH,))


@pytest.mark.parametrize(("layout", "seed"), [("pairs", 4), ("spans", 4), ("spans", None)])
def test_a_stream_started_at_any_step_is_the_rest_of_the_whole_stream(folders, layout, seed):
    whole = batches(folders[layout], seed=seed, epochs=2)
    assert len(whole) == 2 * STEPS
    for start in (0, 1, 2, 5, STEPS - 1, STEPS, STEPS + 1, STEPS + 4, 2 * STEPS - 1, 2 * STEPS):
        assert batches(folders[layout], seed=seed, epochs=2, start_step=start) == whole[start:], start


@pytest.mark.parametrize("batch_size", [1, 3, 16, 17, EXPECTED])
def test_a_stream_can_start_anywhere_with_any_batch_size(folders, batch_size):
    whole = batches(folders["spans"], seed=9, epochs=2, batch_size=batch_size)
    for start in (len(whole) // 3, len(whole) // 2, len(whole) - 1):
        assert batches(folders["spans"], seed=9, epochs=2, batch_size=batch_size, start_step=start) == whole[start:]


@both_layouts
def test_steps_left_out_are_not_read(folders, layout, monkeypatch):
    read = []
    real = split_reader.read_blocks
    monkeypatch.setattr(
        split_reader, "read_blocks", lambda folder, places: read.extend(places) or real(folder, places)
    )
    batches(folders[layout], seed=1, start_step=STEPS - 1)
    last_group = len(set(read))
    read.clear()
    batches(folders[layout], seed=1)
    assert 0 < last_group <= 2 < len(set(read))


def test_more_epochs_begin_as_fewer_do(folders):
    assert batches(folders["pairs"], seed=1, epochs=3)[: 2 * STEPS] == batches(folders["pairs"], seed=1, epochs=2)


@both_layouts
def test_a_dataset_without_a_seed_can_be_iterated_again(folders, layout):
    stream = read_pairs(folders[layout], batch_size=BATCH)
    one, two = ([y.tolist() for _, y in stream.as_numpy_iterator()] for _ in range(2))
    assert one == two


@both_layouts
@pytest.mark.parametrize(("epochs", "start_step"), [(1, 0), (1, 4), (2, STEPS + 3)])
def test_iterations_of_a_shuffled_dataset_continue_with_the_next_epochs(folders, layout, epochs, start_step):
    stream = read_pairs(folders[layout], batch_size=BATCH, seed=1, epochs=epochs, start_step=start_step)
    whole, steps = batches(folders[layout], seed=1, epochs=3 * epochs), epochs * STEPS
    for iteration in range(3):
        served = [(x.tolist(), y.tolist()) for x, y in stream.as_numpy_iterator()]
        assert served == whole[iteration * steps + start_step : (iteration + 1) * steps]


def test_repeat_gives_each_epoch_its_own_order(folders):
    stream = read_pairs(folders["pairs"], batch_size=BATCH, seed=1).repeat(3)
    served = [(x.tolist(), y.tolist()) for x, y in stream.as_numpy_iterator()]
    assert served == batches(folders["pairs"], seed=1, epochs=3)


@both_layouts
@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("start_step", [0, 4, 3 * STEPS + 2])
def test_a_stream_without_epochs_goes_on_without_end(folders, layout, seed, start_step):
    stream = read_pairs(folders[layout], batch_size=BATCH, seed=seed, epochs=None, start_step=start_step)
    assert stream.cardinality() == tf.data.INFINITE_CARDINALITY
    with pytest.raises(TypeError, match="infinite"):
        len(stream)
    served = [(x.tolist(), y.tolist()) for x, y in stream.take(4 * STEPS).as_numpy_iterator()]
    assert served == batches(folders[layout], seed=seed, epochs=8)[start_step : start_step + 4 * STEPS]


def test_a_mixture_without_epochs_goes_on_without_end(folders):
    data = {folders["pairs"]: 2, folders["spans"]: 1}
    served = [
        (x.tolist(), y.tolist())
        for x, y in read_pairs(data, batch_size=BATCH, seed=3, epochs=None, start_step=5).take(60).as_numpy_iterator()
    ]
    assert served == batches(data, seed=3, epochs=4)[5:65]


@both_layouts
def test_a_held_out_split_is_served_on_its_own(folders, layout, naive_pairs):
    expected = [pair for document in ([4, 5], [6]) for pair in naive_pairs([2, *document, 3], window=WINDOW)]
    assert pairs_of(batches(folders[layout], split="validation")) == expected


@both_layouts
@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
def test_a_damaged_shard_raises_its_full_message_through_the_dataset(build_dataset, tmp_path, layout, damage):
    folder = build_dataset(tmp_path / "data", UNITS, layout=layout)
    path = folder / "train-000001.tfrecord"
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    if damage == "flipped":
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:20])
    else:
        path.unlink()
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        batches(folder)
    told = errors.user_error(raised.value)
    what = (
        "cannot be read: No such file or directory."
        if damage == "missing"
        else "(unit 1) differs from the manifest after"
    )
    assert str(told).startswith(f"{path} {what}")
    assert str(told).endswith("and `textgen repair` makes it again.")


@both_layouts
@pytest.mark.parametrize("group_blocks", [1, 64])
def test_a_damaged_shard_before_the_start_does_not_stop_a_stream(build_dataset, tmp_path, layout, group_blocks):
    folder = build_dataset(tmp_path / "data", UNITS, layout=layout)
    settings = {"batch_size": BATCH, "tuning": Tuning(group_blocks=group_blocks)}
    first_shard = sum(len(document) + 1 for document in UNITS[0]["train"])
    start_step = -(-first_shard // BATCH)
    whole = [y.tolist() for _, y in dataset.read_pairs(folder, **settings).as_numpy_iterator()]
    (folder / "train-000000.tfrecord").unlink()
    rest = dataset.read_pairs(folder, start_step=start_step, **settings)
    assert [y.tolist() for _, y in rest.as_numpy_iterator()] == whole[start_step:]
    with pytest.raises(tf.errors.InvalidArgumentError):
        list(dataset.read_pairs(folder, start_step=start_step - 1, **settings))


def test_a_shuffled_stream_reads_only_blocks_that_it_serves(build_dataset, tmp_path):
    folder = build_dataset(tmp_path / "data", UNITS)
    last = batches(folder, seed=1, tuning=Tuning())[-1]
    needed = {target for _, target in pairs_of([last])}
    for unit in UNITS:
        if not needed & {token for document in unit["train"] for token in [*document, 3]}:
            (folder / f"train-{UNITS.index(unit):06d}.tfrecord").unlink()
    assert batches(folder, seed=1, tuning=Tuning(), start_step=STEPS - 1) == [last]


def test_batches_before_a_damaged_shard_are_served(build_dataset, tmp_path):
    folder = build_dataset(tmp_path / "data", UNITS)
    (folder / "train-000002.tfrecord").unlink()
    stream = iter(read_pairs(folder, batch_size=BATCH))
    assert next(stream)[1].numpy().tolist() == list(range(4, 4 + BATCH))


@both_layouts
def test_worker_slices_join_to_the_same_batches_for_any_number_of_workers(folders, layout):
    whole = batches(folders[layout], seed=4, epochs=2)
    for workers in (2, 3, 7):
        slices = [batches(folders[layout], seed=4, epochs=2, worker=i, workers=workers) for i in range(workers)]
        assert {len(parts) for parts in slices} == {len(whole)}
        joined = [
            (sum((x for x, _ in parts), []), sum((y for _, y in parts), [])) for parts in zip(*slices, strict=True)
        ]
        assert joined == whole, workers
        sizes = [len(y) for parts in slices for _, y in parts[: STEPS - 1]]
        assert max(sizes) - min(sizes) <= 1


@both_layouts
def test_whole_epochs_are_the_same_for_1_and_4_workers(folders, layout):
    digests = set()
    for workers in (1, 4):
        digest = hashlib.sha256()
        slices = [
            read_pairs(
                folders[layout], batch_size=16, seed=5, epochs=2, worker=i, workers=workers
            ).as_numpy_iterator()
            for i in range(workers)
        ]
        for parts in zip(*slices, strict=True):
            for arrays in zip(*parts, strict=True):
                digest.update(np.concatenate(arrays).tobytes())
        digests.add(digest.hexdigest())
    assert len(digests) == 1


def test_an_empty_slice_has_the_shape_of_a_batch(folders):
    *_, (x, y) = read_pairs(folders["spans"], batch_size=EXPECTED - 1, worker=0, workers=2)
    assert (x.shape, y.shape) == ((0, WINDOW), (0,))


@both_layouts
def test_a_worker_resumes_with_another_number_of_workers(folders, layout):
    whole = batches(folders[layout], seed=4)
    rest = [batches(folders[layout], seed=4, start_step=3, worker=i, workers=3) for i in range(3)]
    assert [sum((y for _, y in parts), []) for parts in zip(*rest, strict=True)] == [y for _, y in whole[3:]]


@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_a_window_is_chosen_when_spans_are_read(folders, window, naive_pairs):
    expected = [pair for document in TRAIN for pair in naive_pairs([2, *document, 3], window=window, stride=1)]
    assert pairs_of(batches(folders["spans"], window=window)) == expected
    assert sorted(pairs_of(batches(folders["spans"], window=window, seed=1))) == sorted(expected)


@pytest.mark.parametrize("stride", [2, 3, 50])
def test_a_stride_is_chosen_when_spans_are_read_and_counts_on_from_document_to_document(folders, stride, naive_pairs):
    expected = train_pairs(naive_pairs)[::stride]
    assert pairs_of(batches(folders["spans"], stride=stride)) == expected
    assert sorted(pairs_of(batches(folders["spans"], stride=stride, seed=1))) == sorted(expected)


@pytest.mark.parametrize(("stored", "min_context"), [(1, 2), (1, 3), (2, 2), (3, 3)])
def test_pairs_with_little_context_are_left_out(build_dataset, tmp_path, stored, min_context, naive_pairs):
    folder = build_dataset(tmp_path / "data", UNITS, layout="spans", stride=stored)
    expected = [(x, y) for x, y in train_pairs(naive_pairs, stored) if len(x) - x.count(0) >= min_context]
    assert pairs_of(batches(folder, min_context=min_context)) == expected
    both = pairs_of(batches(folder, min_context=min_context, stride=2 * stored))
    assert both == expected[::2]


@both_layouts
def test_the_pairs_of_a_fraction_are_part_of_every_larger_fraction(folders, layout):
    shares = [
        sorted(pairs_of(batches(folders[layout], fraction=fraction, seed=2))) for fraction in (0.1, 0.3, 0.7, 1.0)
    ]
    assert [len(share) for share in shares] == [-(-EXPECTED * tenths // 10) for tenths in (1, 3, 7, 10)]
    for smaller, larger in zip(shares, shares[1:], strict=False):
        assert not Counter(map(str, smaller)) - Counter(map(str, larger))


@both_layouts
def test_the_short_batch_can_be_left_out(folders, layout):
    whole = batches(folders[layout], seed=1, epochs=2)
    served = batches(folders[layout], seed=1, epochs=2, drop_remainder=True)
    assert served == [batch for batch in whole if len(batch[1]) == BATCH]


@both_layouts
def test_compact_batches_have_the_dtype_on_disk(folders, layout):
    stream = read_pairs(folders[layout], batch_size=BATCH, compact=True)
    assert [spec.dtype for spec in stream.element_spec] == [tf.uint16, tf.uint16]
    assert pairs_of(batches(folders[layout], compact=True)) == pairs_of(batches(folders[layout]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 257}, r"window is 257; it must be from 1 to 256"),
        ({"stride": 0}, r"stride is 0; it must be a multiple of 1"),
        ({"min_context": 4}, r"min context is 4; it must be from 1 to the window, which is 3\."),
        ({"fraction": 0.0}, r"fraction is 0\.0; it must be above 0 and at most 1\."),
        ({"workers": 8}, r"workers is 8; it must not exceed the batch size, which is 7\."),
        ({"worker": 2, "workers": 2}, r"worker is 2; it must be from 0 to 1, as workers is 2\."),
        ({"batch_size": 1000, "drop_remainder": True}, r"batch size is 1000; a whole batch needs as many pairs"),
    ],
)
def test_a_choice_that_spans_do_not_hold_is_an_error(folders, settings, message):
    with pytest.raises(UserError, match=message):
        read_pairs(folders["spans"], **{"batch_size": BATCH, **settings})


@pytest.mark.parametrize("settings", [{"window": 2}, {"stride": 2}, {"min_context": 2}])
def test_the_window_of_a_pairs_dataset_cannot_be_chosen(folders, settings):
    with pytest.raises(UserError, match=r"layout fixed them as 3, 1 and 1\. Prepare with --layout spans"):
        read_pairs(folders["pairs"], batch_size=BATCH, **settings)


@pytest.fixture
def remote(folders):
    """Copies of the datasets in fsspec's memory, by layout."""
    memory = fsspec.filesystem("memory")
    for layout, folder in folders.items():
        for path in folder.iterdir():
            memory.pipe_file(f"/loader/{layout}/{path.name}", path.read_bytes())
    yield "memory://loader"
    memory.rm("/loader", recursive=True)


@both_layouts
def test_remote_shards_are_served_and_kept(folders, remote, layout, tmp_path):
    cache, expected = BlockCache(tmp_path / "cache", 1 << 20), batches(folders[layout], seed=1)
    assert batches(f"{remote}/{layout}", seed=1) == expected
    assert batches(f"{remote}/{layout}", seed=1, cache=cache) == expected
    fsspec.filesystem("memory").rm([f"/loader/{layout}/train-00000{i}.tfrecord" for i in range(3)])
    assert batches(f"{remote}/{layout}", seed=1, cache=cache) == expected


def test_a_damaged_cache_entry_is_fetched_again(folders, remote, tmp_path):
    cache, url = BlockCache(tmp_path / "cache", 1 << 20), f"{remote}/spans"
    expected = batches(url, cache=cache)
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(bytes(path.stat().st_size))
    assert batches(url, cache=cache) == expected


def test_a_remote_shard_that_is_missing_is_an_error_that_names_it(remote):
    fsspec.filesystem("memory").rm("/loader/spans/train-000001.tfrecord")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"memory://loader/spans/train-000001\.tfrecord cannot"):
        batches(f"{remote}/spans")


def test_a_script_may_end_in_the_middle_of_streams(folders):
    script = (
        "from textgen.dataset import read_pairs\n"
        f"folders = {[str(folder) for folder in folders.values()]!r}\n"
        "streams = [iter(read_pairs(folder, batch_size=7, seed=0, epochs=10_000)) for folder in folders]\n"
        "for _ in range(100): [next(batches) for batches in streams]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@both_layouts
def test_keras_fits_a_model_to_the_stream(folders, layout):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Embedding(100, 4, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(100),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    stream = read_pairs(folders[layout], batch_size=BATCH, seed=0, start_step=STEPS - 2)
    history = model.fit(stream, shuffle=False, verbose=0)
    assert model.optimizer.iterations == 2
    assert np.isfinite(history.history["loss"]).all()


class Recorder(keras.Model):
    """Records the targets of each training batch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def train_step(self, data):
        self.seen.append(data[1].numpy().tolist())
        return {"loss": 0.0}


@pytest.mark.parametrize(("epochs", "steps"), [(1, None), (None, STEPS)])
def test_keras_fit_gets_a_new_order_in_each_epoch(folders, epochs, steps):
    model = Recorder()
    model.compile(run_eagerly=True)
    stream = read_pairs(folders["pairs"], batch_size=BATCH, seed=0, epochs=epochs)
    model.fit(stream, epochs=3, steps_per_epoch=steps, shuffle=False, verbose=0)
    assert len(model.seen) == 3 * STEPS
    orders = [sum(model.seen[i * STEPS : (i + 1) * STEPS], []) for i in range(3)]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert orders[0] != orders[1] != orders[2] != orders[0]
