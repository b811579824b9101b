import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.readers.base import FileRange, InputFile, ReadOptions
from textgen.corpus.units import Unit, plan_units, unit_bytes


def no_file(path):
    raise AssertionError(f"{path} need not be opened")


def texts(*sizes, format="lines"):
    return [InputFile(f"{i}.txt", size, 0.0, format) for i, size in enumerate(sizes)]


input_files = st.lists(
    st.tuples(st.integers(1, 3000), st.sampled_from(["lines", "paragraphs", "jsonl", "document"])),
    max_size=20,
).map(lambda sizes: [InputFile(f"{i}.txt", size, 0.0, format) for i, (size, format) in enumerate(sizes)])


@given(input_files, st.integers(1, 1500))
@settings(max_examples=80, deadline=None)
def test_every_byte_is_in_one_unit_in_the_order_of_the_files(files, wanted):
    units = plan_units(files, unit_bytes=wanted, open_file=no_file, options=ReadOptions())
    assert [unit.index for unit in units] == list(range(len(units)))
    file_ranges = [file_range for unit in units for file_range in unit.file_ranges]
    for file in files:
        edges = [(file_range.start, file_range.end) for file_range in file_ranges if file_range.file == file]
        assert [start for start, _ in edges] == [0, *(end for _, end in edges[:-1])]
        assert edges[-1][1] == file.size
    paths = [file_range.file.path for file_range in file_ranges]
    assert list(dict.fromkeys(paths)) == [file.path for file in files]
    assert sum(unit.bytes for unit in units) == sum(file.size for file in files)


@given(input_files, st.integers(1, 1500))
@settings(max_examples=60, deadline=None)
def test_a_unit_of_several_ranges_has_at_most_the_target_size_and_all_that_fit(files, wanted):
    units = plan_units(files, unit_bytes=wanted, open_file=no_file, options=ReadOptions())
    assert all(len(unit.file_ranges) == 1 or unit.bytes <= wanted for unit in units)
    for unit, following in zip(units, units[1:], strict=False):
        first = following.file_ranges[0]
        assert unit.bytes + first.end - first.start > wanted


@given(st.lists(st.tuples(st.integers(1, 300), st.sampled_from([None, "train", "test"])), max_size=12))
@settings(max_examples=40, deadline=None)
def test_no_unit_has_files_of_two_splits(sizes):
    files = [InputFile(f"{i}.txt", size, 0.0, "lines", split=split) for i, (size, split) in enumerate(sizes)]
    units = plan_units(files, unit_bytes=100, open_file=no_file, options=ReadOptions())
    for unit in units:
        assert {file_range.file.split for file_range in unit.file_ranges} == {unit.split}
    assert sum(unit.bytes for unit in units) == sum(file.size for file in files)


def test_small_files_are_grouped():
    files = texts(30, 40, 50, 10)
    assert plan_units(files, unit_bytes=100, open_file=no_file, options=ReadOptions()) == [
        Unit(0, (FileRange(files[0], 0, 30), FileRange(files[1], 0, 40))),
        Unit(1, (FileRange(files[2], 0, 50), FileRange(files[3], 0, 10))),
    ]


def test_a_big_file_is_divided():
    units = plan_units(texts(350), unit_bytes=100, open_file=no_file, options=ReadOptions())
    assert [unit.bytes for unit in units] == [87, 88, 87, 88]
    assert [unit.file_ranges[0].start for unit in units] == [0, 87, 175, 262]


def test_a_big_document_stays_whole():
    units = plan_units(
        texts(10, 350, 10, format="document"), unit_bytes=100, open_file=no_file, options=ReadOptions()
    )
    assert [unit.bytes for unit in units] == [10, 350, 10]


def test_a_csv_file_is_divided_by_its_reader():
    content = b"text\n" + b"a row\n" * 50
    files = [InputFile("a.csv", len(content), 0.0, "csv")]
    units = plan_units(files, unit_bytes=100, open_file=lambda _: io.BytesIO(content), options=ReadOptions("text"))
    assert [unit.bytes for unit in units] == [108, 96, 96]
    assert units[0].file_ranges[0].start == len(b"text\n")


@pytest.mark.parametrize(("compression", "encoding"), [(("gzip",), "utf-8"), ((), "utf-16")])
def test_a_file_that_can_not_be_split_is_one_unit(compression, encoding):
    file = InputFile("a", 350, 0.0, "lines", compression, encoding)
    units = plan_units([file], unit_bytes=100, open_file=no_file, options=ReadOptions())
    assert units == [Unit(0, (FileRange(file, 0, 350),))]


def test_the_plan_is_deterministic():
    files = texts(5, 1000, 7, 7, 990)
    assert plan_units(files, unit_bytes=64, open_file=no_file, options=ReadOptions()) == plan_units(
        files, unit_bytes=64, open_file=no_file, options=ReadOptions()
    )


def test_no_files_give_no_units():
    assert plan_units([], unit_bytes=100, open_file=no_file, options=ReadOptions()) == []


@pytest.mark.parametrize(
    ("total", "most", "wanted"),
    [
        (1000, 4 << 20, 1 << 16),
        (16 << 20, 4 << 20, 1 << 20),
        (1 << 40, 4 << 20, 4 << 20),
        (1 << 40, 32 << 20, 32 << 20),
    ],
)
def test_a_unit_is_a_sixteenth_of_the_input_within_limits(total, most, wanted):
    assert unit_bytes(total, most=most) == wanted
