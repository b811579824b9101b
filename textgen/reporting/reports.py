"""Writes the report of a dataset or a run to a file."""

import os
from pathlib import Path

from textgen import files
from textgen.config import SPLITS
from textgen.console import import_tensorflow
from textgen.dataset.storage.manifest import FILE_NAME, WORK_FOLDER
from textgen.errors import require
from textgen.reporting.page import MARKER

_HEAD_BYTES = 1000


def report(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    split: str | None = None,
) -> None:
    """Writes one HTML file about a dataset or a run, to look at in a browser; it needs nothing else to be shown.

    Args:
        source: folder or URL of a dataset, or folder of a run.
        output: path or URL of the file. An earlier report there is replaced; any other file is not.
        data: with a run, folder or URL of its dataset, for what needs held-out text; None to leave that out.
        split: with a run and `data`, the split that is read: "test", the default, or "validation".

    Raises:
        UserError: the source is neither a dataset nor a run, is not complete, is damaged or of another version, the
            dataset does not fit the run, or another file is in the place of the output.
        OSError: a file cannot be read or written.

    Example:
        >>> textgen.report("data", "data.html")  # doctest: +SKIP
        >>> textgen.report("run", "run.html", data="data")  # doctest: +SKIP
    """
    source, output = (files.expand_home(os.fspath(path)) for path in (source, output))
    _require_free(output)
    if files.exists(files.join(source, FILE_NAME)):
        require(
            data is None and split is None,
            f"{source} is a dataset, and --data and --split are of the report of a run. Leave them out.",
        )
        require(
            not _is_inside(output, source),
            f"{output} is in the folder of the dataset, which holds the files of its manifest alone. Name another "
            "place for the report.",
        )
        from textgen.reporting.dataset_page import dataset_page

        content = dataset_page(source)
    else:
        content = _run_page(source, None if data is None else os.fspath(data), split)
    files.write_atomically(output, content.encode())


def _run_page(source: str, data: str | None, split: str | None) -> str:
    require(
        not files.exists(files.join(source, WORK_FOLDER)),
        f"the dataset at {source} is not complete: it has no {FILE_NAME}. Run the same `textgen prepare` again, "
        "which goes on; `textgen status` tells how far it is.",
    )
    import_tensorflow(plots=False)
    from textgen import runs
    from textgen.reporting.run_page import run_page

    what = f"has neither the {FILE_NAME} of a dataset nor the {runs.FILE_NAME} of a run"
    require(
        files.exists(files.join(source, runs.FILE_NAME)),
        f"{source} {what if files.exists(source) else 'is not there'}. Name a folder that `textgen prepare` or "
        "`textgen train` wrote.",
    )
    require(
        split is None or data is not None,
        "--split names held-out text of the dataset. Add --data with the dataset of this run, or leave --split out.",
    )
    return run_page(runs.run_folder(source), data=data, split=split or SPLITS[-1])


def _is_inside(output: str, source: str) -> bool:
    """Returns whether a local file is directly in a local folder."""
    if files.is_remote(output) or files.is_remote(source):
        return False
    return Path(output).parent.resolve() == Path(source).resolve()


def _require_free(output: str) -> None:
    """Checks that there is no file at a path, or an earlier report.

    Raises:
        UserError: there is something else.
        OSError: it cannot be read.
    """
    files.require_writable(output)
    if not files.exists(output):
        return
    kind = files.unusual(output)
    is_report = not kind and MARKER in files.read_head(output, _HEAD_BYTES).decode(errors="replace")
    require(
        is_report,
        f"{output} is there already, and is {kind or 'no report of textgen'}; only a report is replaced. Remove it, "
        "or name another file after -o.",
    )
