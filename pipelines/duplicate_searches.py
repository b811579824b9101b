"""Runs the searches for duplicates that a preparation needs, in order."""

from collections.abc import Sequence

from pipelines import duplicates
from pipelines.duplicates import FindDuplicates
from pipelines.held_out_duplicates import FindHeldOutDuplicates
from pipelines.jobs import JobRunner
from pipelines.workspace import DUPLICATES, OVERLAP, Workspace
from textgen.config import PrepareConfig
from textgen.corpus.units import Unit


def find_duplicates(jobs: JobRunner, units: Sequence[Unit], config: PrepareConfig, workspace: Workspace) -> None:
    """Records the duplicates of each unit, if they are to be dropped or the splits may share some.

    Args:
        jobs: runs the searches.
        units: all units.
        config: the settings of the preparation.
        workspace: the output folder, with the token files of all units.
    """
    wanted = duplicates.wanted(config.selection)
    if not (wanted or config.separates_equal_texts) or workspace.is_done(DUPLICATES):
        return
    # The search ignores dropped documents, so duplicates that an interrupted run recorded must be searched again.
    for stage in (DUPLICATES, OVERLAP):
        workspace.forget(stage)
        workspace.make_stage_folder(stage)
    for near in sorted({0.0, config.selection.near_duplicates} if wanted else ()):
        search = FindDuplicates(list(units), config, workspace, near=near)
        jobs.run(f"looking for {duplicates.NEAR if near else duplicates.EXACT}s", search, units=len(units))
    if config.separates_equal_texts:
        jobs.run("comparing the splits", FindHeldOutDuplicates(list(units), config, workspace), units=len(units))
    workspace.record_done(DUPLICATES)
