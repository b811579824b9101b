"""Finds what a glob matches below a folder, and why a match is not read."""

from typing import NamedTuple

from pipelines.listing.globs import Glob, States
from pipelines.listing.own_folders import is_own_folder, is_within
from textgen.folder_walk import FOLDER, Entry, Listed, Parts, walk

HIDDEN = "hidden or system"
OWN = "of a dataset or run"


class Hit(NamedTuple):
    """A file, or a folder that cannot be listed, that a glob matches.

    Attributes:
        entry: the file.
        reason: why it is passed over; empty if it is not, as far as its path tells.
        detail: more about the reason.
    """

    entry: Entry
    reason: str
    detail: str = ""


class _FolderState(NamedTuple):
    """State of the search in a folder.

    Attributes:
        visible: states of the glob after the folder's names.
        any: the same where wildcards match hidden names too.
        owner: the folder of a dataset or run that it is or lies in; empty if there is none.
        is_output: whether it is or lies in the output folder.
    """

    visible: States
    any: States
    owner: str = ""
    is_output: bool = False


def search(root: str, glob: Glob, *, is_named: bool, output: str | None) -> tuple[list[Hit], list[str]]:
    """Returns the files below a folder that a glob matches, and the matched folders below which nothing can match.

    Args:
        root: path or URL of the folder.
        glob: matches the names below it.
        is_named: whether the folder itself was named, so that nothing of it is read if it is a dataset or a run.
        output: folder of which nothing is found at all; None if there is none.
    """
    searching = _Search(glob, is_named=is_named, output=output)
    for listed in walk(root, searching.may_match_below):
        searching.take(listed)
    return searching.hits, searching.folders


class _Search:
    def __init__(self, glob: Glob, *, is_named: bool, output: str | None):
        self.hits: list[Hit] = []
        self.folders: list[str] = []
        self._glob, self._is_named, self._output = glob, is_named, output
        self._states: dict[Parts, _FolderState] = {(): _FolderState(glob.start(), glob.start())}

    def may_match_below(self, parts: Parts) -> bool:
        """Returns whether something below a folder may match that counts."""
        state = self._states[parts]
        return self._glob.may_match_below(state.any) and not state.is_output

    def take(self, listed: Listed) -> None:
        """Takes up the entries of a folder."""
        state = self._states[listed.parts]
        if not state.owner and (listed.parts or self._is_named):
            names = {entry.name for entry in listed.entries}
            state = state._replace(owner=listed.path if is_own_folder(listed.path, names) else "")
            self._states[listed.parts] = state
        for entry in listed.entries:
            self._take_entry(entry, listed.parts, state)

    def _take_entry(self, entry: Entry, parts: Parts, state: _FolderState) -> None:
        visible, any_ = state.visible, state.any
        if entry.name:
            visible = self._glob.step(visible, entry.name, hidden=False)
            any_ = self._glob.step(any_, entry.name, hidden=True)
        if entry.kind == FOLDER:
            is_output = state.is_output or (self._output is not None and is_within(entry.path, self._output))
            self._states[(*parts, entry.name)] = _FolderState(visible, any_, state.owner, is_output)
            if self._glob.is_match(visible) and not (is_output or self._glob.may_match_below(visible)):
                self.folders.append(entry.path)
        elif state.is_output or (entry.name and not self._glob.is_match(any_)):
            return
        elif state.owner:
            self.hits.append(Hit(entry, OWN, f"in {state.owner}"))
        else:
            is_visible = self._glob.is_match(visible) if entry.name else bool(visible)
            self.hits.append(Hit(entry, "" if is_visible else HIDDEN))
