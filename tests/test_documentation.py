"""Runs the code blocks of README.md and docs/, and holds that what they name is there."""

import contextlib
import importlib.util
import io
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, PluginError

import textgen
from textgen.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# In the order in which they are run, in one folder: later pages use the datasets and runs of earlier ones.
PAGES = ("README.md", "docs/index.md", "docs/guide/prepare.md", "docs/guide/train.md", "docs/guide/generate.md",
         "docs/guide/read.md", "docs/guide/errors.md", "docs/extending.md", "docs/architecture.md",
         "docs/performance.md", "docs/clusters.md", "docs/limits.md", "docs/scaling.md", "docs/stores.md",
         "docs/engines/index.md", "docs/engines/local.md", "docs/engines/prism.md",
         "docs/engines/spark.md", "docs/engines/flink.md", "docs/engines/dataflow.md")  # fmt: skip
REASONS = (
    "installs", "needs several devices", "needs PyTorch", "needs a cluster", "needs a cloud", "needs a second",
    "needs a store", "needs minutes",
)  # fmt: skip


COMMENTS = ("not run", "output of", "not compared")
"""The comments before a block, in the order of the fields of `Block`."""

UNCOMPARED = ("a diagram", "depends on the machine")


class Block(NamedTuple):
    """A code block of a page, and the comment in the line before it.

    Attributes:
        language: language after the fence.
        code: text of the block.
        skipped: reason why a program is not run; empty if it is run.
        command: command whose output a `text` block shows; empty if there is none.
        uncompared: reason why a `text` block is compared with no output; empty if it is compared.
    """

    language: str
    code: str
    skipped: str
    command: str
    uncompared: str


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    # Blocks inside lists are indented.
    fenced = r"(?:^<!-- (not run|output of|not compared): ([^\n]*?) -->\n)?^( *)```(\w*)\n(.*?)^\3```$"
    return [
        Block(language, textwrap.dedent(code), *(value if kind == name else "" for name in COMMENTS))
        for kind, value, _, language, code in re.findall(fenced, text, re.DOTALL | re.MULTILINE)
    ]


def example(word: str) -> str:
    """Returns the Python block of the guide to reading that contains a word."""
    return next(
        block.code for block in blocks("docs/guide/read.md") if block.language == "python" and word in block.code
    )


# Of a training, the result is not the point here: it takes less than a second, with a network of these sizes.
SMALL = {"embedding": 8, "units": 8}


class Commands:
    """Runs each command once; trainings are small."""

    def __init__(self) -> None:
        self.printed: dict[str, str] = {}

    def run(self, command: str) -> None:
        if command in self.printed:
            return
        words = shlex.split(re.sub(r"--max-minutes (\d)\b", r"--max-minutes 0.00\1", command))
        assert words[0] == "textgen", command
        if words[1] == "train":
            words += [str(word) for name, size in SMALL.items() for word in (f"--{name}", size)]
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = main(words[1:])
        assert code == 0, command
        assert output.getvalue().strip(), command
        self.printed[command] = output.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture(scope="module")
def commands(folder: Path) -> Commands:
    """All commands of all pages, run."""
    commands = Commands()
    with contextlib.chdir(folder) if sys.version_info >= (3, 11) else _chdir(folder):
        for page in PAGES:
            for block in blocks(page):
                if block.language == "sh" and not block.skipped:
                    for line in block.code.splitlines():
                        commands.run(line)
    return commands


@contextlib.contextmanager
def _chdir(folder: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


def test_the_commands_make_what_they_say(folder: Path, commands: Commands) -> None:
    assert len(commands.printed) >= 12
    for run in ("president", "melville"):
        names = {path.name for path in (folder / run).iterdir()}
        assert {"run.json", "vocabulary.jsonl", "best", "last", "history.csv", "curves.png", "samples.jsonl"} <= names


def test_every_output_block_is_part_of_the_output_of_its_command(commands: Commands) -> None:
    shown = [(page, block) for page in PAGES for block in blocks(page) if block.command]
    assert len(shown) >= 6
    for page, block in shown:
        assert block.code in commands.printed[block.command], (page, block.command)


@pytest.mark.parametrize("page", PAGES)
def test_a_text_block_is_compared_or_says_why_not(page: str) -> None:
    for block in blocks(page):
        is_marked = bool(block.command) or block.uncompared.startswith(UNCOMPARED)
        assert is_marked == (block.language == "text"), block


@pytest.mark.parametrize("page", PAGES)
def test_the_python_blocks_of_a_page_run(
    page: str, folder: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {"__name__": "example", "SMALL": SMALL}
    for block in blocks(page):
        if block.language == "python" and not block.skipped:
            code = block.code.replace("    ...", "    assert x.shape == (256, 44); break")
            code = code.replace("max_minutes=3", "max_minutes=0.003, **SMALL")
            exec(compile(code, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES)
def test_a_block_is_run_or_says_why_not(page: str) -> None:
    for block in blocks(page):
        assert block.language in ("sh", "python", "text", "toml", "json"), block
        assert not block.skipped or block.skipped.startswith(REASONS), block.skipped


def test_the_guide_shows_every_command() -> None:
    guide = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES if page.startswith("docs/guide/"))
    assert [name for name in COMMANDS if f"textgen {name} " not in guide] == []


def test_every_page_is_run() -> None:
    assert set(PAGES) == {"README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))}


def test_the_readme_is_a_landing_page() -> None:
    assert len(README) <= 6_000


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_outside_the_site_lead_to_files(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_any_reader_of_records_reads_the_same_pairs(
    folder: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(example("TFRecordDataset"), "docs/guide/read.md", "exec"), names)
    ours = np.concatenate([y.numpy() for _, y in textgen.read_pairs("speeches", batch_size=256)])
    plain = np.concatenate([batch["y"].numpy()[:, 0] for batch in names["pairs"]])
    assert sorted(ours) == sorted(plain) and len(ours) > 100_000


def test_the_example_for_replicas_serves_each_its_slice(folder: Path, commands: Commands) -> None:
    replicas = example("MirroredStrategy")
    script = f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from textgen import read_pairs
{replicas.replace("MirroredStrategy()", 'MirroredStrategy(["CPU:0", "CPU:1"])')}
whole = iter(read_pairs("speeches", batch_size=256, seed=0))
for batch, _ in zip(batches, range(3)):
    parts = [part.numpy() for part in strategy.experimental_local_results(batch[1])]
    assert [len(part) for part in parts] == [128, 128]
    assert np.concatenate(parts).tolist() == next(whole)[1].numpy().tolist()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_example_for_pytorch_serves_the_same_batches(folder: Path, commands: Commands) -> None:
    pytest.importorskip("torch")
    torch = example("torch_pairs")
    script = f"""
import torch
from textgen import read_pairs
{torch}
if len(loader) != len(read_pairs("speeches", batch_size=256)): raise SystemExit("lengths differ")
for (x, y), (same_x, same_y), _ in zip(loader, read_pairs("speeches", batch_size=256, seed=0), range(3)):
    assert (x.numpy() == same_x.numpy()).all() and (y.numpy() == same_y.numpy()).all()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_names_files_that_are_there() -> None:
    table = ARCHITECTURE.split("## I want to change")[1].split("\n## ")[0]
    paths = re.findall(r"`((?:textgen|pipelines)/[\w/.]*)`", table)
    assert len(paths) > 25
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_is_in_the_table_or_is_plumbing() -> None:
    table = ARCHITECTURE.split("## I want to change")[1].split("\n## ")[0]
    named = set(re.findall(r"`((?:textgen|pipelines)/[\w/.]*)`", table))
    folders = tuple(path for path in named if path.endswith("/"))
    plumbing = {
        "textgen/errors.py", "textgen/console.py", "textgen/corpus/readers/base.py", "textgen/text/preprocessor.py",
        "textgen/runs.py", "textgen/training/strategy.py",
        "textgen/corpus/block_files.py", "textgen/dataset/storage/ragged.py",
    }  # fmt: skip
    modules = {
        str(path.relative_to(ROOT))
        for package in ("textgen", "pipelines")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert {m for m in modules - named - plumbing if not m.startswith(folders)} == set()


def test_the_words_of_make_are_told_by_make_help() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)
    assert {"demo", "test", "setup", "help"} <= set(words)
    assert [word for word in words if f"make {word} " not in told] == []


def build_site(site: Path, **settings: Any) -> None:
    """Builds the site as `make docs` does; with `settings` in place of those of mkdocs.yml."""
    build(load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(site), **settings))


def test_the_site_is_built_with_every_command_and_public_name(tmp_path: Path) -> None:
    build_site(tmp_path)
    commands = (tmp_path / "reference" / "cli" / "index.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"textgen {name}" not in commands] == []
    names = (tmp_path / "reference" / "api" / "index.html").read_text(encoding="utf-8")
    public = [name for name in textgen.__all__ if not name.startswith("__")]
    assert [name for name in public if name not in names] == []


@pytest.mark.parametrize("link", ["missing.md", "index.md#missing", "/index.md"])
def test_a_broken_link_fails_the_build(tmp_path: Path, link: str) -> None:
    pages = tmp_path / "docs"
    pages.mkdir()
    small: dict[str, Any] = {
        "docs_dir": str(pages),
        "nav": [{"Start": "index.md"}],
        "hooks": [],
        "plugins": [],
        "theme": "mkdocs",
    }
    (pages / "index.md").write_text("# Start\n\n[here](#start)\n", encoding="utf-8")
    build_site(tmp_path / "site", **small)
    (pages / "index.md").write_text(f"# Start\n\n[here]({link})\n", encoding="utf-8")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", **small)


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("documentation_hooks", ROOT / "docs" / "hooks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def undocumented() -> None:
    pass


class Undocumented:
    """Has a public method without a docstring."""

    def method(self) -> None:
        pass


@pytest.mark.parametrize("value, named", [(undocumented, "extra"), (Undocumented, "extra.method")])
def test_an_undocumented_public_name_fails_the_build(
    hooks: ModuleType, monkeypatch: pytest.MonkeyPatch, value: object, named: str
) -> None:
    monkeypatch.setattr(textgen, "extra", value, raising=False)
    monkeypatch.setattr(textgen, "__all__", [*textgen.__all__, "extra"])
    with pytest.raises(PluginError, match=f"without a docstring: {named}\\."):
        hooks.api_page()
