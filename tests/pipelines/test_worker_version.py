from pathlib import Path
from typing import Any

import pytest

from pipelines import worker_version
from pipelines.jobs import ProcessUnit
from pipelines.workspace import Workspace
from textgen.corpus.units import Unit
from textgen.errors import UserError


class Nothing:
    stage = "nothing"

    def setup(self) -> None:
        """Needs nothing."""

    def process(self, unit: Unit) -> dict[str, Any]:
        return {}


def test_a_worker_of_another_version_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    do = ProcessUnit(Nothing(), Workspace(str(tmp_path)))
    do.setup()
    monkeypatch.setattr(worker_version, "own_version", lambda: "0.0.1")
    with pytest.raises(UserError, match=r"a worker has textgen 0\.0\.1, and the launcher \d.*Install the launcher's"):
        do.setup()
