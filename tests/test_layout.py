"""Holds the architecture: imports go down the floors, never sideways or up, and never in a circle."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = (
    {"textgen.errors", "textgen.config", "textgen.presets", "textgen.console", "textgen.files"},
    {"textgen.corpus", "textgen.text", "textgen.dataset", "textgen.model"},
    {"pipelines", "textgen.training", "textgen.generation"},
    {"textgen.commands", "textgen.cli"},
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("textgen", "pipelines")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def wing(module: str) -> str:
    """`textgen.dataset.records` is of textgen.dataset; whatever is in pipelines is of pipelines."""
    parts = module.split(".")
    return parts[0] if parts[0] == "pipelines" else ".".join(parts[:2])


def floor(module: str) -> int:
    (found,) = [i for i, wings in enumerate(FLOORS) if wing(module) in wings]
    return found


def imported(path: Path, *, top_level_only: bool = False) -> set[str]:
    """The modules that a file imports; `from package import module` names the module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (below & set(MODULES)) or {node.module}
    return names


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"textgen"}))
def test_a_module_imports_only_from_lower_floors_or_its_own_wing(module: str) -> None:
    for name in imported(MODULES[module]) & set(MODULES) - {"textgen"}:
        allowed = wing(name) == wing(module) or floor(name) < floor(module)
        same_floor = {wing(module), wing(name)} <= FLOORS[0] | FLOORS[3] and floor(name) == floor(module)
        assert allowed or same_floor, f"{module} must not import {name}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: imported(path) & set(MODULES) - {module} for module, path in MODULES.items()}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


def test_beam_is_imported_by_the_pipelines_alone() -> None:
    users = {module for module, path in MODULES.items() if any("apache_beam" in name for name in imported(path))}
    assert users and all(wing(module) == "pipelines" for module in users)


def test_the_door_does_not_wait_for_the_heavy_libraries() -> None:
    light = [m for m in MODULES if m != "textgen" and floor(m) in (0, 3)] + ["pipelines", "pipelines.arguments"]
    for module in light:
        heavy = {n.split(".")[0] for n in imported(MODULES[module], top_level_only=True)}
        assert not heavy & {"tensorflow", "tensorflow_text", "keras", "apache_beam", "pyarrow"}, module


def test_every_module_has_a_test_module_of_its_name() -> None:
    names = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    modules = {path.name for module, path in MODULES.items() if path.name != "__init__.py"}
    assert {f"test_{name}" for name in modules} <= names
