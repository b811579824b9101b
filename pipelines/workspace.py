"""Accesses the output folder of a preparation: paths, files of the dataset, and the results of units.

While a preparation runs, the folder holds `_work` with a small result for each unit that has completed a stage. A
second run of the same plan finds the results and does the remaining work.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from textgen import files, locks, regular_files
from textgen.config import TOKENIZER_FILE
from textgen.dataset.storage.manifest import WORK_FOLDER
from textgen.folder import Folder

TOKENS, DUPLICATES, OVERLAP, COUNTS, SHARDS = "tokens", "duplicates", "overlap", "vocabulary", "shards"
"""The stages, each with a folder in `_work`: `tokens/000017.json` is the result of unit 17."""


@dataclasses.dataclass(frozen=True)
class Workspace:
    """The output folder of a preparation.

    Attributes:
        directory: its path or URL.
    """

    directory: str

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
        """Returns the names of the files directly in the folder, without its lock."""
        return {name for name in files.list_names(self.directory, files_only=True) if not locks.is_lock_name(name)}

    def read(self, name: str) -> bytes | None:
        """Returns the content of a file of the dataset, or None if there is no such file.

        Raises:
            UserError: it is a link, or something else that is not a regular file.
        """
        try:
            return Folder(self.directory).read(name)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def require_no_links(self) -> None:
        """Checks that no link of `_work` leads to files elsewhere, which would be overwritten or removed.

        Raises:
            UserError: `_work` is or holds something that is neither a folder nor a regular file.
        """
        if not files.is_remote(self.directory):
            regular_files.require_no_links(Path(self.work_path().removeprefix("file://")))

    def publish(self, name: str, content: bytes | Path) -> None:
        """Writes a file of the dataset from bytes or a local file; a partially written file stays in `_work`."""
        files.write_atomically(self.path(name), content, temporary_folder=self.work_path())

    def publish_if_changed(self, name: str, content: bytes) -> None:
        """Writes a file of the dataset unless it has this content already."""
        if self.read(name) != content:
            self.publish(name, content)

    def tokenizer_model(self) -> bytes:
        """Returns the content of the tokenizer's model; empty for a tokenizer that has none."""
        return self.read(TOKENIZER_FILE) or b""

    def record(self, stage: str, unit: int, result: dict[str, Any]) -> None:
        """Stores the result of a unit, which marks the stage as done for the unit."""
        files.write_atomically(self.unit_path(stage, unit, "json"), json.dumps(result).encode())

    def recorded(self, stage: str, unit: int) -> dict[str, Any] | None:
        """Returns the result of a unit, or None if the stage is not done for the unit."""
        content = files.read_if_present(self.unit_path(stage, unit, "json"))
        return None if content is None else json.loads(content)

    def recorded_units(self, stage: str) -> set[int]:
        """Returns the numbers of the units for which a stage is done."""
        names = files.list_names(self.work_path(stage), files_only=True)
        return {int(name.removesuffix(".json")) for name in names if name.endswith(".json")}

    def record_done(self, stage: str) -> None:
        """Marks a stage as done for all units."""
        files.write_atomically(self._done_path(stage), b"")

    def is_done(self, stage: str) -> bool:
        """Returns whether a stage was marked as done for all units."""
        return files.size(self._done_path(stage)) is not None

    def forget(self, stage: str) -> None:
        """Removes the results of a stage."""
        files.remove(self.work_path(stage))

    def _done_path(self, stage: str) -> str:
        return self.work_path(f"{stage}.done")
