"""What is read again, and what is kept, when the input has changed between two runs."""

import os
import re
import time
from pathlib import Path

import pytest

from pipelines import claims
from pipelines.jobs import ProcessUnit
from pipelines.passes import Passes
from pipelines.plan import Plan, make_plan
from pipelines.prepare import run_passes
from pipelines.tokenize import TokenizeUnit
from pipelines.workspace import TOKENS, Workspace
from pipelines.write_shards import WriteUnit
from textgen.config import PrepareConfig, TextConfig
from textgen.dataset import verify
from textgen.errors import UserError

FLAGS = ["--direct_num_workers=1"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def many_lines(seed: str) -> str:
    """Returns 128 kB of lines: with a second such file, four units."""
    return "".join(f"{seed} {i % 97:03} and {i % 89:03} of it\n" for i in range(128 * 1024 // 21))


class TestChangedInput:
    """One of two files is written again while a preparation works, and the same command is run again."""

    CONFIG = PrepareConfig(text=TextConfig(), format="lines", window=2)

    def plan(self, folder: Path) -> Plan:
        return make_plan([str(folder / "a.txt"), str(folder / "b.txt")], self.CONFIG, output=str(folder / "out"))

    def prepare(self, folder: Path, name: str) -> dict[str, bytes]:
        workspace = Workspace(str(folder / name))
        claims.claim(workspace.directory, self.plan(folder))
        run_passes(self.plan(folder), workspace, FLAGS)
        assert verify(folder / name) == []
        return contents(folder / name)

    @pytest.fixture
    def stopped(self, tmp_path: Path) -> Passes:
        """A preparation that has read all units and learned the vocabulary."""
        for name in "ab":
            (tmp_path / f"{name}.txt").write_text(many_lines(name))
        plan, workspace = self.plan(tmp_path), Workspace(str(tmp_path / "out"))
        claims.claim(workspace.directory, plan)
        passes = Passes(plan, workspace, FLAGS)
        for make in (passes.tokenize, passes.find_duplicates, passes.learn_vocabulary):
            make()
        assert workspace.recorded_units(TOKENS) == {0, 1, 2, 3}
        return passes

    @pytest.mark.parametrize("keep_time", [True, False])
    @pytest.mark.parametrize("with_shards", [True, False])
    def test_only_its_units_are_read_again(
        self, stopped: Passes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_shards: bool, keep_time: bool
    ) -> None:
        before = (tmp_path / "b.txt").stat()
        if with_shards:
            # As if killed between two units.
            write = WriteUnit(self.CONFIG, Workspace(str(tmp_path / "out")))
            write.setup()
            ProcessUnit(write, Workspace(str(tmp_path / "out"))).process(stopped._units[0]).__next__()
            assert list((tmp_path / "out").glob("*.tfrecord"))
        time.sleep(0.05)
        (tmp_path / "b.txt").write_text(many_lines("c"))
        if keep_time:
            os.utime(tmp_path / "b.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(
            UserError, match=r"b\.txt has changed while it was read.*reads only what has changed again"
        ):
            stopped.write_shards()
        read = []
        real = TokenizeUnit.process
        monkeypatch.setattr(TokenizeUnit, "process", lambda self, unit: read.append(unit.index) or real(self, unit))
        again = self.prepare(tmp_path, "out")
        assert sorted(read) == [2, 3]
        assert again == self.prepare(tmp_path, "fresh")

    def test_units_keep_their_tokens_under_new_numbers(
        self, stopped: Passes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "b.txt").write_text("")
        (tmp_path / "A.txt").write_text(many_lines("c"))
        plan = make_plan(
            [str(tmp_path / "A.txt"), str(tmp_path / "a.txt")], self.CONFIG, output=str(tmp_path / "out")
        )
        workspace = claims.claim(str(tmp_path / "out"), plan)
        Passes(plan, workspace, FLAGS).tokenize()
        assert re.search("of 4 units, 2 are read already", capfd.readouterr().err)
        run_passes(plan, workspace, FLAGS)
        assert verify(tmp_path / "out") == []
        fresh = claims.claim(str(tmp_path / "fresh"), plan)
        run_passes(plan, fresh, FLAGS)
        assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
