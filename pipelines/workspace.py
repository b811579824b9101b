"""Accesses the output folder of a preparation: paths, files of the dataset, and the results of units.

While a preparation runs, the folder holds `_work` with a small result for each unit that has completed a stage. A
second run of the same plan finds the results and does the remaining work.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipelines.stages import (
    COUNTS,
    DUPLICATES,
    MAX_BYTES,
    MAX_PLAN_BYTES,
    OVERLAP,
    SHARDS,
    STAGES,
    TOKENS,
    is_own_name,
    parse_plan_at_work,
    parse_result,
    unit_of,
)
from textgen import files, locks, regular_files
from textgen.config import TOKENIZER_FILE, PrepareConfig
from textgen.config.schema import SchemaError
from textgen.dataset.storage.manifest import WORK_FOLDER
from textgen.errors import UserError
from textgen.folder import Folder
from textgen.text import vocabulary

__all__ = ["COUNTS", "DUPLICATES", "OVERLAP", "SHARDS", "TOKENS", "Workspace"]

_PLAN = "plan.json"
_GIVEN_VOCABULARY = "given.jsonl"
_THREADS = 32
_RESULTS_AHEAD = 4096
_MAX_GIVEN_BYTES = _MAX_MODEL_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True)
class Workspace:
    """The output folder of a preparation.

    Attributes:
        directory: its path or URL.
        token: token of the process that holds the folder's lock, for which workers write; empty if it is not locked.
    """

    directory: str
    token: str = ""

    @classmethod
    def locked(cls, directory: str) -> "Workspace":
        """Returns the workspace of a folder, in which only the process that holds its lock now may write."""
        return cls(directory, token=locks.owner_token(directory))

    def path(self, *names: str) -> str:
        """Returns a path in the folder."""
        return files.join(self.directory, *names)

    def work_path(self, *names: str) -> str:
        """Returns a path in the folder's `_work`."""
        return self.path(WORK_FOLDER, *names)

    def unit_path(self, stage: str, unit: int, kind: str) -> str:
        """Returns the path of a file that a stage keeps per unit, such as `_work/tokens/000017.documents`."""
        return self.work_path(stage, f"{unit:06d}.{kind}")

    def make_stage_folder(self, stage: str) -> None:
        """Creates the folder for the results of a stage."""
        files.make_directory(self.work_path(stage))

    def names(self) -> set[str]:
        """Returns the names of the files directly in the folder, without its lock and unfinished files."""
        names = files.list_names(self.directory, files_only=True)
        return {
            name for name in names if not (locks.is_lock_name(name) or is_own_name(files.finished_name(name) or ""))
        }

    def remove_unfinished(self) -> None:
        """Removes files that a killed process has not finished; only the owner of the folder's lock may do so."""
        files.remove_unfinished(self.directory, is_own_name)
        for folder in (self.work_path(), *map(self.work_path, STAGES)):
            files.remove_unfinished(folder, _is_any)

    def read(self, name: str, *, max_bytes: int | None = None) -> bytes | None:
        """Returns the content of a file of the dataset, or None if there is no such file.

        Args:
            name: name of the file, or its path in the folder.
            max_bytes: maximum size of the file, which is not read if it is larger; None for any.

        Raises:
            UserError: it is a link, something else that is not a regular file, or too large.
        """
        try:
            return Folder(self.directory).read(name, max_bytes=max_bytes)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read_work(self, *names: str, max_bytes: int) -> bytes | None:
        """Returns the content of a file of `_work`, or None if there is no such file; see `read`."""
        return self.read("/".join((WORK_FOLDER, *names)), max_bytes=max_bytes)

    def damage(self, path: str, found: object) -> UserError:
        """Returns the error for a file of `_work` that can't be used.

        Args:
            path: path or URL of the file.
            found: what is wrong with it.
        """
        return UserError(
            f"{path} is damaged: {found}. Delete the folder {self.work_path()} and run the same command again, which "
            "makes what is in it anew."
        )

    def require_writable(self) -> None:
        """Checks that the folder is not of a filesystem that can only be read.

        Raises:
            UserError: it is a URL of a web server.
        """
        files.require_writable(self.directory)

    def require_no_links(self) -> None:
        """Checks that no link of `_work` leads to files elsewhere, which would be overwritten or removed.

        Raises:
            UserError: `_work` is or holds something that is neither a folder nor a regular file.
        """
        if not files.is_remote(self.directory):
            regular_files.require_no_links(Path(self.work_path().removeprefix("file://")))

    def publish(self, name: str, content: bytes | Path) -> None:
        """Writes a file of the dataset from bytes or a local file; a partially written file stays in `_work`.

        Raises:
            UserError: another process has taken the lock of the folder.
        """
        locks.require_token(self.directory, self.token)
        files.write_atomically(self.path(name), content, temporary_folder=self.work_path())

    def publish_if_changed(self, name: str, content: bytes) -> None:
        """Writes a file of the dataset unless it has this content already."""
        if files.size(self.path(name)) != len(content) or self.read(name) != content:
            self.publish(name, content)

    def tokenizer_model(self) -> bytes:
        """Returns the content of the tokenizer's model; empty for a tokenizer that has none."""
        return self.read(TOKENIZER_FILE, max_bytes=_MAX_MODEL_BYTES) or b""

    def record_plan(self, fingerprint: str, config: dict[str, Any]) -> None:
        """Stores which plan is at work in the folder."""
        content = json.dumps({"fingerprint": fingerprint, "config": config}).encode()
        files.write_atomically(self.work_path(_PLAN), content)

    def recorded_plan(self) -> dict[str, Any] | None:
        """Returns the `fingerprint` and the `config` of the plan that is at work in the folder; None if none is.

        Raises:
            UserError: the record is damaged.
        """
        content = self.read_work(_PLAN, max_bytes=MAX_PLAN_BYTES)
        try:
            return None if content is None else parse_plan_at_work(content)
        except SchemaError as error:
            raise self.damage(self.work_path(_PLAN), error) from None

    def record_vocabulary(self, given: vocabulary.Vocabulary) -> None:
        """Stores the vocabulary that the user has given to the plan at work."""
        files.write_atomically(self.work_path(_GIVEN_VOCABULARY), given.to_bytes())

    def given_vocabulary(self, config: PrepareConfig) -> vocabulary.Vocabulary | None:
        """Returns the vocabulary that the user gave to the plan at work, or None if the vocabulary is learned.

        Raises:
            UserError: it is not there, or is not the one that the settings name.
        """
        if not config.given_vocabulary:
            return None
        content = self.read_work(_GIVEN_VOCABULARY, max_bytes=_MAX_GIVEN_BYTES) or b""
        if hashlib.sha256(content).hexdigest() != config.given_vocabulary:
            raise self.damage(self.work_path(_GIVEN_VOCABULARY), "it is not the vocabulary that was given")
        return vocabulary.parse(content)

    def record(self, stage: str, unit: int, result: dict[str, Any]) -> None:
        """Stores the result of a unit, which marks the stage as done for the unit."""
        files.write_atomically(self.unit_path(stage, unit, "json"), json.dumps(result).encode())

    def recorded(self, stage: str, unit: int) -> dict[str, Any] | None:
        """Returns the result of a unit, or None if the stage is not done for the unit.

        Raises:
            UserError: the result is damaged.
        """
        content = self.read_work(stage, f"{unit:06d}.json", max_bytes=MAX_BYTES)
        try:
            return None if content is None else parse_result(stage, unit, content)
        except SchemaError as error:
            raise self.damage(self.unit_path(stage, unit, "json"), error) from None

    def each_recorded(self, stage: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields each unit for which a stage is done, in order, and its result, which takes thousands of bytes.

        Raises:
            UserError: a result is damaged.
        """
        units = sorted(self.recorded_units(stage))
        # A store takes many requests at a time, and each takes a while.
        with ThreadPoolExecutor(_THREADS if files.is_remote(self.directory) else 1) as pool:
            for first in range(0, len(units), _RESULTS_AHEAD):
                several = units[first : first + _RESULTS_AHEAD]
                results = pool.map(functools.partial(self.recorded, stage), several)
                for unit, result in zip(several, results, strict=True):
                    if result is not None:
                        yield unit, result

    def sizes(self) -> dict[str, int]:
        """Returns the size in bytes of each file directly in the folder, by its name."""
        return Folder(self.directory).sizes()

    def recorded_units(self, stage: str) -> set[int]:
        """Returns the numbers of the units for which a stage is done."""
        names = files.list_names(self.work_path(stage), files_only=True)
        return {unit for unit in map(unit_of, names) if unit is not None}

    def record_done(self, stage: str) -> None:
        """Marks a stage as done for all units."""
        files.write_atomically(self._done_path(stage), b"")

    def is_done(self, stage: str) -> bool:
        """Returns whether a stage was marked as done for all units."""
        return files.size(self._done_path(stage)) is not None

    def forget(self, stage: str) -> None:
        """Removes the results of a stage."""
        files.remove(self.work_path(stage))

    def forget_all_but(self, stage: str) -> None:
        """Removes all of `_work` but the results of a stage, the record of the plan at work and its vocabulary."""
        for name in files.list_names(self.work_path()):
            if name not in (_PLAN, _GIVEN_VOCABULARY, stage):
                files.remove(self.work_path(name))

    def forget_unit(self, stage: str, unit: int) -> None:
        """Removes the result of a unit, which is to be made again."""
        files.remove_file(self.unit_path(stage, unit, "json"))

    def forget_plan(self) -> None:
        """Removes the record of the plan that is at work in the folder."""
        files.remove(self.work_path(_PLAN))

    def local_temporary_folder(self) -> Path | None:
        """Returns the path of a new folder in `_work` for temporary files, or None if that is not of this machine."""
        return None if files.is_remote(self.directory) else Path(self.work_path(files.temporary_name()))

    def _done_path(self, stage: str) -> str:
        return self.work_path(f"{stage}.done")


def _is_any(name: str) -> bool:
    return True
