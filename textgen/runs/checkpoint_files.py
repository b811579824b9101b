"""Finds, checks, reads and removes the checkpoints in a folder of a run.

A checkpoint may be damaged, and may come from a stranger. It is read only if its files are regular, lie inside the
run's folder, and hold no more than the network needs, so that TensorFlow neither waits for a pipe nor reserves memory
for what a crafted index claims.
"""

import contextlib
import math
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import tensorflow as tf

from textgen.errors import UserError, require
from textgen.regular_files import unusual

_NAME = re.compile(r"ckpt-([0-9]+)\.index")
_TEMPORARY = re.compile(r"ckpt-[0-9]+(_temp|\.[\w-]+\.tempstate[0-9]+)")
_DATA = re.compile(r"(ckpt-[0-9]+)\.data-[0-9]{5}-of-[0-9]{5}")
_MAX_INDEX_BYTES = 1 << 26
_MAX_OBJECT_GRAPH_BYTES = 1 << 26
"""Bounds of what describes a checkpoint; it is some kilobytes per layer."""

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
"""End of the name under which TensorFlow saves a variable."""


class CheckpointError(UserError):
    """A checkpoint that cannot be used; the message is the reason, without a final full stop."""


def checkpoints_in(folder: Path) -> list[Path]:
    """Returns the paths of a folder's checkpoints, without suffix, by descending step.

    They are found by their index files, since TensorFlow's own list of checkpoints may be damaged.
    """
    found = [(int(name[1]), path) for path in folder.glob("*.index") if (name := _NAME.fullmatch(path.name))]
    return [path.with_suffix("") for _, path in sorted(found, reverse=True)]


def step_of(checkpoint: Path) -> int:
    """Returns the step in the name of a checkpoint, as 100 for `ckpt-100`."""
    return int(checkpoint.name.rpartition("-")[2])


def require_own_folder(folder: Path) -> None:
    """Checks that a folder of a run, if it is there, is not a link that leads out of the run.

    Raises:
        UserError: it is one, or it is no folder.
    """
    if folder.is_symlink():
        require(
            _is_inside(folder, folder.parent),
            f"{folder} is a link to {folder.resolve()}, outside of the run; nothing is read or removed there. "
            "Replace the link by the folder itself.",
        )
    require(
        folder.is_dir() or not folder.exists(),
        f"{folder} is not a folder; it must hold checkpoints. Restore it, or train again in another folder.",
    )


def shapes(checkpoint: Path) -> Mapping[str, list[int]]:
    """Returns the shape of each variable in a checkpoint, by the name under which it is saved.

    Only the index is read.

    Raises:
        CheckpointError: the checkpoint is damaged, or is not one that a run writes.
        OSError: a file can't be read.
    """
    data_bytes = _check_files(checkpoint)
    with _damage():
        reader = tf.train.load_checkpoint(str(checkpoint))
        found: dict[str, list[int]] = reader.get_variable_to_shape_map()
        sizes = {name: reader.get_variable_to_dtype_map()[name].size * math.prod(s) for name, s in found.items()}
    # Data are stored as they are, so a variable takes as many bytes in the file as in memory.
    tensors = sum(sizes.values())
    if tensors > data_bytes:
        raise CheckpointError(
            f"its index describes {tensors:,} bytes, and its data have {data_bytes:,}; they must have at least as "
            "many"
        )
    if data_bytes - tensors > _MAX_OBJECT_GRAPH_BYTES:
        raise CheckpointError(
            f"its data have {data_bytes:,} bytes, and its index describes {tensors:,}; they must have at most "
            f"{_MAX_OBJECT_GRAPH_BYTES:,} more"
        )
    return found


def read(checkpoint: Path, into: tf.train.Checkpoint, *, partially: bool = False) -> None:
    """Sets variables to their values in a checkpoint.

    Args:
        checkpoint: path without suffix; `shapes` must have accepted it.
        into: objects with the variables; all of them must be in the checkpoint.
        partially: whether the checkpoint may hold more than these.

    Raises:
        CheckpointError: the checkpoint is damaged, or holds other variables.
    """
    with _damage():
        status = into.read(str(checkpoint))
        if partially:
            status.expect_partial().assert_existing_objects_matched()
        else:
            status.assert_consumed()


def remove(checkpoint: Path) -> None:
    """Removes the files of a checkpoint.

    Raises:
        OSError: a file can't be removed.
    """
    # The index is removed first: without it the remaining files do not count as a checkpoint.
    for path in (checkpoint.with_suffix(".index"), *checkpoint.parent.glob(f"{checkpoint.name}.data-*")):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)


def remove_incomplete(folder: Path) -> None:
    """Removes the files of checkpoints that a killed process has begun to write; what cannot be removed stays.

    Only the owner of the lock of the run may call it.

    Raises:
        UserError: the folder is a link that leads out of the run, or is no folder.
        OSError: the folder can't be listed.
    """
    require_own_folder(folder)
    for path in sorted(folder.glob("ckpt-*")):
        data = _DATA.fullmatch(path.name)
        is_begun = data and not folder.joinpath(f"{data[1]}.index").exists()
        if (is_begun or _TEMPORARY.fullmatch(path.name)) and unusual(path) in ("", "a folder"):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Turns whatever TensorFlow raises about a damaged checkpoint into a CheckpointError."""
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:
        # A crafted graph of objects can raise any error.
        lines = str(error).strip().split("\n")
        raise CheckpointError(lines[0].rstrip(".") or type(error).__name__) from None


def _check_files(checkpoint: Path) -> int:
    """Checks the files of a checkpoint before they are read, and returns the size of its data in bytes."""
    index = checkpoint.with_suffix(".index")
    data = sorted(checkpoint.parent.glob(f"{checkpoint.name}.data-*"))
    for path in (index, *data):
        _require_own_file(path)
        # A file without the permission to read is an error of its own, not a damaged one.
        path.open("rb").close()
    if index.stat().st_size > _MAX_INDEX_BYTES:
        raise CheckpointError(
            f"{index.name} has {index.stat().st_size:,} bytes; an index has at most {_MAX_INDEX_BYTES:,}"
        )
    return sum(path.stat().st_size for path in data)


def _require_own_file(path: Path) -> None:
    if not _is_inside(path, path.parent.parent):
        raise CheckpointError(f"{path.name} is a link out of the run's folder; it must be a file inside")
    if not stat.S_ISREG(path.stat().st_mode):
        raise CheckpointError(f"{path.name} is no regular file")


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
