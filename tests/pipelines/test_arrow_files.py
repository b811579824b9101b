import pyarrow as pa
import pytest

from pipelines.arrow_files import ArrowDamageError, arrow_errors, require_between, require_sound

SCHEMA = pa.schema([("a", pa.int64())])


def test_what_arrow_refuses_is_damage_and_errors_of_the_machine_are_not() -> None:
    with pytest.raises(ArrowDamageError), arrow_errors():
        pa.ipc.open_stream(b"no stream")
    for error in (OSError(28, "No space left on device"), MemoryError(), KeyError("a mistake")):
        with pytest.raises(type(error)) as raised, arrow_errors():
            raise error
        assert raised.value is error


def test_columns_and_nulls_are_checked() -> None:
    require_sound(pa.table({"a": [1]}), [SCHEMA])
    require_sound(pa.table({"a": pa.array([None], pa.int64())}), [SCHEMA], nullable=["a"])
    with pytest.raises(ArrowDamageError, match="its column a has nulls"):
        require_sound(pa.table({"a": pa.array([None], pa.int64())}), [SCHEMA])
    for other in (pa.table({"b": [1]}), pa.table({"a": ["x"]}), pa.table({"a": [1], "b": [1]})):
        with pytest.raises(ArrowDamageError, match="its columns are not those of such a file"):
            require_sound(other, [SCHEMA])


def test_indices_that_lead_outside_are_refused() -> None:
    batch = pa.record_batch({"a": pa.DictionaryArray.from_arrays(pa.array([0, 9]), pa.array(["x"]), safe=False)})
    with pytest.raises(ArrowDamageError):
        require_sound(batch, [batch.schema])


def test_bounds_are_checked() -> None:
    require_between(pa.array([0, 9]), "a", 0, 9)
    require_between(pa.array([], pa.int64()), "a", 0, 9)
    with pytest.raises(ArrowDamageError, match="its column a has -1 to 10; it may have 0 to 9"):
        require_between(pa.array([-1, 10]), "a", 0, 9)
