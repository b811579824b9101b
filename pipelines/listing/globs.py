"""Matches names below a folder with globs, as Python's `glob(recursive=True)` does, and knows hidden names."""

import fnmatch
import re
from collections.abc import Callable, Sequence

MAGIC = re.compile(r"[*?\[{]")
"""Characters that a pattern has and that a plain name seldom has."""

_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_ANY_FOLDERS = "**"

_SYSTEM_NAMES = {
    "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "system volume information", "lost+found",
    "@eadir", "#recycle",
}  # fmt: skip
"""Files and folders that operating systems make, in lower case."""

States = frozenset[tuple[int, int]]
"""How far alternatives of a pattern have matched: pairs of alternative and number of its components."""


def is_hidden(name: str) -> bool:
    """Returns whether a file or folder is hidden or of the operating system, by its name.

    >>> is_hidden(".git"), is_hidden("_SUCCESS"), is_hidden("Thumbs.db"), is_hidden("a.txt")
    (True, True, True, False)
    """
    return name.startswith((".", "_", "~$")) or name.lower() in _SYSTEM_NAMES


def expand_braces(pattern: str) -> list[str]:
    """Returns the alternatives of a pattern with braces.

    >>> expand_braces("a/{b,c}*.txt")
    ['a/b*.txt', 'a/c*.txt']
    """
    found = _BRACES.search(pattern)
    if not found:
        return [pattern]
    alternatives = (pattern[: found.start()] + word + pattern[found.end() :] for word in found[1].split(","))
    return [expanded for word in alternatives for expanded in expand_braces(word)]


class Glob:
    """Alternatives of a pattern, which are matched with the names below a folder one after another.

    `*` matches within one name, and `**` any number of folders, also none. A wildcard does not match hidden names,
    unless the component of the pattern begins with the same dot or underscore.
    """

    def __init__(self, pattern: str):
        """Creates a matcher.

        Args:
            pattern: the pattern below the folder; braces hold alternatives.
        """
        words = expand_braces(pattern)
        self._alternatives = [[part for part in word.split("/") if part not in ("", ".")] for word in words]
        self._matchers = [[_matcher(part) for part in parts] for parts in self._alternatives]

    def start(self) -> States:
        """Returns the states of the folder itself."""
        return self._skip_folders({(i, 0) for i in range(len(self._alternatives))})

    def step(self, states: States, name: str, *, hidden: bool) -> States:
        """Returns the states after one more name.

        Args:
            states: those of the folder that holds it.
            name: the name of a file or folder.
            hidden: whether wildcards match hidden names too.
        """
        after = set()
        for i, done in states:
            if done == len(self._alternatives[i]):
                continue
            component = self._alternatives[i][done]
            if not hidden and is_hidden(name) and not _is_explicit(component, name):
                continue
            if component == _ANY_FOLDERS:
                after.add((i, done))
            elif self._matchers[i][done](name):
                after.add((i, done + 1))
        return self._skip_folders(after)

    def is_match(self, states: States) -> bool:
        """Returns whether a whole alternative has matched."""
        return any(done == len(self._alternatives[i]) for i, done in states)

    def may_match_below(self, states: States) -> bool:
        """Returns whether something below a folder may match, given the folder's states."""
        return any(done < len(self._alternatives[i]) for i, done in states)

    def _skip_folders(self, states: set[tuple[int, int]]) -> States:
        """Adds the states in which `**` stands for no folder."""
        found = set(states)
        for i, done in states:
            parts = self._alternatives[i]
            while done < len(parts) and parts[done] == _ANY_FOLDERS:
                done += 1
                found.add((i, done))
        return frozenset(found)


def _matcher(component: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(component)).match


def _is_explicit(component: str, name: str) -> bool:
    """Returns whether a component asks for a hidden name: it is that name, or begins with its dot or underscore."""
    return component == name or (name[0] in "._" and component.startswith(name[0]))


def split(word: str, exists: Callable[[str], bool]) -> tuple[str, str]:
    """Divides a path into its longest part that exists or has no wildcards, and the pattern below that.

    Args:
        word: path or URL.
        exists: returns whether there is a file or folder of this path, whatever characters are in its name.

    Returns:
        The folder, and the pattern; an empty one if there are no wildcards.
    """
    scheme, mark, path = word.rpartition("://")
    names: Sequence[str] = path.split("/")
    for i, name in enumerate(names):
        if MAGIC.search(name) and (name == _ANY_FOLDERS or not exists(scheme + mark + "/".join(names[: i + 1]))):
            root = "/".join(names[:i])
            return scheme + mark + (root or "/" * path.startswith("/")), "/".join(names[i:])
    return word, ""
