"""The README's commands run as they stand there, and its table names files that are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def textgen_commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith("textgen ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands have run; with training cut to seconds, since what it reaches is not the point here."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "examples").symlink_to(ROOT / "examples")
    textgen = str(Path(sys.executable).with_name("textgen"))
    for command in textgen_commands():
        words = shlex.split(command.replace("--max-minutes 3", "--max-minutes 0.02"))
        done = subprocess.run([textgen, *words[1:]], cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout.strip(), command
    return folder


def test_the_commands_make_what_they_say(folder: Path) -> None:
    assert len(textgen_commands()) >= 9
    for run in ("president", "melville"):
        names = {path.name for path in (folder / run).iterdir()}
        assert {"run.json", "vocabulary.jsonl", "best", "last", "history.csv", "curves.png", "samples.jsonl"} <= names


def test_the_python_examples_read_the_same_pairs(folder: Path) -> None:
    ours, _, _, plain = blocks("python")
    check = """
import itertools, numpy as np
from textgen.dataset import read_pairs
ours = np.concatenate([y.numpy() for _, y in read_pairs("speeches", batch_size=256)])
plain = np.concatenate([batch["y"].numpy()[:, 0] for batch in pairs])
assert sorted(ours) == sorted(plain) and len(ours) > 100_000
"""
    short = ours.replace("    ...", "    assert x.shape == (256, 44); break")
    assert short != ours
    done = subprocess.run([sys.executable, "-c", short + plain + check], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_example_for_replicas_serves_each_its_share(folder: Path) -> None:
    ours, replicas, *_ = blocks("python")
    script = f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
{ours.splitlines()[0]}
{replicas.replace("MirroredStrategy()", 'MirroredStrategy(["CPU:0", "CPU:1"])')}
whole = iter(read_pairs("speeches", batch_size=256, seed=0))
for batch, _ in zip(batches, range(3)):
    parts = [part.numpy() for part in strategy.experimental_local_results(batch[1])]
    assert [len(part) for part in parts] == [128, 128]
    assert np.concatenate(parts).tolist() == next(whole)[1].numpy().tolist()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_example_for_pytorch_serves_the_same_batches(folder: Path) -> None:
    pytest.importorskip("torch")
    ours, _, torch, _ = blocks("python")
    script = f"""
import torch
{ours.splitlines()[0]}
{torch}
for (x, y), (same_x, same_y), _ in zip(loader, read_pairs("speeches", batch_size=256, seed=0), range(3)):
    assert (x.numpy() == same_x.numpy()).all() and (y.numpy() == same_y.numpy()).all()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_names_files_that_are_there() -> None:
    table = README.split("## I want to change")[1].split("\n## ")[0]
    paths = re.findall(r"`((?:textgen|pipelines)/[\w/.]*)`", table)
    assert len(paths) > 25
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_is_in_the_table_or_is_plumbing() -> None:
    table = README.split("## I want to change")[1].split("\n## ")[0]
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
