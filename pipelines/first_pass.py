"""Runs the first pass, and keeps what an earlier run has read of the same input."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pipelines.claims import forget_later_passes
from pipelines.jobs import JobRunner, UnitWork
from pipelines.tokenize import TokenizeUnit
from pipelines.unit_readings import check_still_holds, source_of, tags
from pipelines.workspace import TOKENS, Workspace
from textgen import files
from textgen.config import PrepareConfig
from textgen.console import say
from textgen.corpus.units import Unit

_KEPT = "kept"


class FirstPass:
    """Reads and tokenizes units, but for those that were read before and whose input has not changed."""

    def __init__(self, units: Sequence[Unit], config: PrepareConfig, workspace: Workspace):
        """Creates the pass.

        Args:
            units: all units of the plan.
            config: the settings of the preparation.
            workspace: the output folder.
        """
        self._units, self._config, self._workspace = units, config, workspace

    def run(self, jobs: JobRunner, wanted: Sequence[Unit], *, has_dataset: bool) -> None:
        """Reads the units that are wanted and not read.

        Args:
            jobs: runs the pass.
            wanted: the units that later passes need.
            has_dataset: whether the folder holds a dataset of the plan, of which files were lost.

        Raises:
            UserError: a document cannot be read with these settings, or a file has changed since the command began.
        """
        self._keep_known()
        read = self._workspace.recorded_units(TOKENS)
        if not has_dataset and len(read) < len(self._units):
            # The first pass was interrupted, or has to read units again whose input has changed.
            forget_later_passes(self._workspace)
            self._forget_changed([unit for unit in self._units if unit.index in read])
        jobs.run_units("reading text", TokenizeUnit(self._config, self._workspace), wanted)

    def _keep_known(self) -> None:
        """Keeps the results of units of this plan, under the numbers that they have in it, and removes all others.

        The plan may be another one than that of the earlier run, as when one input file has changed.
        """
        sources = {unit: result.get("source", "") for unit, result in self._workspace.each_recorded(TOKENS)}
        numbers = {source_of(unit, self._config): unit.index for unit in self._units} if sources else {}
        moves = {earlier: numbers[source] for earlier, source in sources.items() if source in numbers}
        if len(moves) == len(sources) and all(earlier == number for earlier, number in moves.items()):
            return
        self._renumber(moves)
        say(
            "The input or the settings have changed since the run before: of "
            f"{len(self._units):,} units, {len(moves):,} are read already."
        )

    def _renumber(self, moves: dict[int, int]) -> None:
        """Gives units their new numbers, and removes the units that have none."""
        self._workspace.forget(_KEPT)
        self._workspace.make_stage_folder(_KEPT)
        for earlier, names in _names_by_unit(self._workspace).items():
            for name in names if earlier in moves else ():
                kind = name.partition(".")[2]
                path = self._workspace.unit_path(_KEPT, moves[earlier], kind)
                files.move(self._workspace.work_path(TOKENS, name), path)
        self._workspace.forget(TOKENS)
        if moves:
            files.move(self._workspace.work_path(_KEPT), self._workspace.work_path(TOKENS))

    def _forget_changed(self, units: Sequence[Unit]) -> None:
        """Forgets units whose files may have another content than when they were read, since their tags differ."""
        recorded = {unit: result.get("tags") for unit, result in self._workspace.each_recorded(TOKENS)}
        for unit in units:
            if recorded.get(unit.index) != tags(unit):
                self._workspace.forget_unit(TOKENS, unit.index)


class AfterFirstPass:
    """Work of a later pass on units whose input is looked at again before.

    By then the last unit has been read, so there was a time when all files were as they were read.
    """

    def __init__(self, work: UnitWork, config: PrepareConfig, workspace: Workspace):
        self.stage, self._work, self._config, self._workspace = work.stage, work, config, workspace

    def setup(self) -> None:
        """Builds the objects that the work needs."""
        self._work.setup()

    def process(self, unit: Unit) -> dict[str, Any]:
        """Does the work on a unit, and returns its result.

        Raises:
            UserError: an input file of the unit does not hold what was read of it any more.
        """
        check_still_holds(unit, self._config, self._workspace)
        return self._work.process(unit)


def _names_by_unit(workspace: Workspace) -> dict[int, list[str]]:
    """Returns the names of the files that the first pass keeps of each unit, without those of interrupted writes."""
    found = defaultdict[int, list[str]](list)
    for name in files.list_names(workspace.work_path(TOKENS), files_only=True):
        if not name.endswith(".tmp"):
            found[int(name.partition(".")[0])].append(name)
    return found
