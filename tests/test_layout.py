"""Holds the architecture: imports go down the floors, never sideways or up, and never in a circle."""

import ast
import graphlib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = (
    {
        "textgen.errors",
        "textgen.termination",
        "textgen.config",
        "textgen.presets",
        "textgen.console",
        "textgen.standard_streams",
        "textgen.system_errors",
        "textgen.files",
        "textgen.file_versions",
        "textgen.folder",
        "textgen.regular_files",
        "textgen.remote_files",
        "textgen.store_drivers",
        "textgen.store_retries",
        "textgen.folder_walk",
        "textgen.block_cache",
        "textgen.keras_registry",
        "textgen.lazy_tensorflow",
        "textgen.locks",
        "textgen.numba_loops",
        "textgen.owned_folders",
    },
    {"textgen.corpus", "textgen.text", "textgen.dataset", "textgen.model"},
    {"textgen.runs"},
    {"pipelines", "textgen.training", "textgen.generation"},
    {"textgen.export", "textgen.reporting", "textgen.serving"},
    {"textgen.api"},
    {"textgen.commands", "textgen.cli"},
)
MAX_LINES = 300
MAX_INTERNAL_IMPORTS = 10
# A table of variants imports every variant.
TABLES = {"textgen.text.cleaning", "textgen.text.tokenizers", "textgen.training.callbacks.defaults"}
WITHOUT_TESTS_OF_THEIR_OWN = {"textgen.text.filters.cleaned_texts"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("textgen", "pipelines")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def package_of(module: str) -> str:
    """`textgen.dataset.storage.records` is of textgen.dataset; whatever is in pipelines is of pipelines."""
    parts = module.split(".")
    return parts[0] if parts[0] == "pipelines" else ".".join(parts[:2])


def floor(module: str) -> int:
    (found,) = [i for i, packages in enumerate(FLOORS) if package_of(module) in packages]
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
def test_a_module_imports_only_from_lower_floors_or_its_own_package(module: str) -> None:
    for name in imported(MODULES[module]) & set(MODULES) - {"textgen"}:
        allowed = package_of(name) == package_of(module) or floor(name) < floor(module)
        same_floor = {package_of(module), package_of(name)} <= FLOORS[0] | FLOORS[-1] and floor(name) == floor(module)
        assert allowed or same_floor, f"{module} must not import {name}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: imported(path) & set(MODULES) - {module} for module, path in MODULES.items()}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


def test_what_is_on_disk_does_not_know_what_serves_it() -> None:
    storage = {module: path for module, path in MODULES.items() if module.startswith("textgen.dataset.storage")}
    assert storage
    for module, path in storage.items():
        assert not [name for name in imported(path) if name.startswith("textgen.dataset.loading")], module


def test_beam_is_imported_by_the_pipelines_alone() -> None:
    users = {module for module, path in MODULES.items() if any("apache_beam" in name for name in imported(path))}
    assert users and all(package_of(module) == "pipelines" for module in users)


def test_light_modules_import_no_heavy_library() -> None:
    light = [m for m in MODULES if m != "textgen" and floor(m) in (0, len(FLOORS) - 1)] + [
        "pipelines",
    ]
    for module in light:
        heavy = {n.split(".")[0] for n in imported(MODULES[module], top_level_only=True)}
        assert not heavy & {"tensorflow", "tensorflow_text", "keras", "apache_beam", "pyarrow"}, module


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_has_its_test_at_the_mirrored_place(module: str) -> None:
    path = MODULES[module].relative_to(ROOT)
    if path.name == "__init__.py" or module in WITHOUT_TESTS_OF_THEIR_OWN:
        return
    parts = path.parts[1:] if path.parts[0] == "textgen" else path.parts
    assert (ROOT / "tests" / Path(*parts[:-1]) / f"test_{path.name}").is_file()


def test_no_two_modules_share_a_name_but_a_command_and_its_worker() -> None:
    stems = Counter(path.stem for path in MODULES.values() if path.name != "__init__.py")
    commands = {module.rpartition(".")[2] for module in MODULES if module.startswith("textgen.commands.")}
    assert {stem for stem, count in stems.items() if count > 1} <= commands


def test_no_two_types_share_a_name() -> None:
    names = Counter(
        node.name.lstrip("_")
        for path in MODULES.values()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_is_small(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", sorted(set(MODULES) - TABLES))
def test_a_module_imports_few_others(module: str) -> None:
    internal = {name for name in imported(MODULES[module]) if name.split(".")[0] in ("textgen", "pipelines")}
    assert len(internal) <= MAX_INTERNAL_IMPORTS, sorted(internal)
