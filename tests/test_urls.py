"""Every command at a URL: in fsspec's memory, and in a local folder that is reached by a driver."""

import uuid
from pathlib import Path

import pytest

from textgen import files
from textgen.cli import main
from textgen.dataset import read_manifest, read_pairs

OPTIONS = [
    "--format", "lines", "--window", "4", "--split-by", "tail", "--keep-dropped", "--duplicates", "drop",
    "--validation-percent", "20", "--test-percent", "20",
]  # fmt: skip
RUN = ["--embedding", "4", "--units", "4", "--epochs", "1", "--batch-size", "8", "--sample-tokens", "2"]


def write_corpus(folder: str) -> str:
    lines = [f"call me ishmael {i} some years ago never mind how long {i % 7}" for i in range(60)]
    for i in range(3):
        files.write_atomically(files.join(folder, f"{i}.txt"), "\n".join([*lines[20 * i :][:20], "", ""]).encode())
    return files.join(folder, "*.txt")


def contents(folder: str, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    return {name: files.read(files.join(folder, name)) for name in files.list_names(folder) if name not in without}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local")
    pattern = write_corpus(str(folder / "texts"))
    assert main(["prepare", "--input", pattern, "--output", str(folder / "data"), *OPTIONS]) == 0
    return folder / "data"


@pytest.fixture(params=["memory", "driver"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"memory://{uuid.uuid4().hex}" if request.param == "memory" else f"local://{tmp_path}"


def test_a_dataset_at_a_url_is_that_of_a_local_folder(
    remote: str, local: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pattern, data = write_corpus(f"{remote}/texts"), f"{remote}/data"
    prepare = ["prepare", "--input", pattern, "--output", data, *OPTIONS]
    assert main(prepare) == 0
    # Their manifests differ, since the paths of their input files do.
    named = ("manifest.json", "inputs.jsonl")
    assert contents(data, without=named) == contents(str(local), without=named)
    assert read_manifest(data).total == read_manifest(local).total
    assert sum(len(y) for _, y in read_pairs(data, batch_size=8)) == read_manifest(data).total.splits["train"].pairs

    before = contents(data)
    for argv in (prepare, ["verify", data, "--contamination"], ["inspect", data], ["repair", data]):
        capfd.readouterr()
        assert main(argv) == 0
    assert contents(data) == before

    files.remove(f"{data}/train-000000.tfrecord")
    files.write_atomically(f"{data}/dropped-000000.jsonl", b"")
    capfd.readouterr()
    assert main(["verify", data]) == 1
    assert capfd.readouterr().out.splitlines() == [
        "train-000000.tfrecord (unit 0): missing",
        "dropped-000000.jsonl (unit 0): changed: its SHA-256 differs from the manifest's",
    ]
    assert main(["repair", data, "--yes"]) == 0
    assert contents(data) == before

    files.remove(f"{data}/vocabulary.jsonl")
    assert main(prepare) == 0
    assert contents(data) == before


def test_a_run_learns_from_a_dataset_that_a_driver_serves(local: Path, tmp_path: Path) -> None:
    data, run = f"local://{local}", str(tmp_path / "run")
    assert main(["train", "--data", data, "--output", run, *RUN]) == 0
    assert main(["evaluate", run, "--data", data]) == 0
    assert main(["generate", run, "--tokens", "3"]) == 0


def test_an_estimate_reads_a_corpus_at_a_url(remote: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--input", write_corpus(f"{remote}/texts"), *OPTIONS[:4]]) == 0
    assert "documents   63, dropped: 3 empty" in capfd.readouterr().out


def test_a_worker_process_reaches_a_url_and_writes_the_same_bytes(tmp_path: Path, local: Path) -> None:
    pattern = write_corpus(f"local://{tmp_path}/texts")
    # Each pass starts the processes anew, and the corpus is one unit: one process does what two would do.
    flags = ["--direct_running_mode=multi_processing", "--direct_num_workers=1"]
    assert main(["prepare", "--input", pattern, "--output", f"local://{tmp_path}/data", *OPTIONS, *flags]) == 0
    assert contents(f"{tmp_path}/data", without=("manifest.json", "inputs.jsonl")) == contents(
        str(local), without=("manifest.json", "inputs.jsonl")
    )
    assert read_manifest(f"{tmp_path}/data").units == read_manifest(local).units


def test_a_run_at_a_url_is_refused_with_a_remedy(local: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = "gs://bucket/run"
    for argv in (
        ["train", "--data", str(local), "--output", run],
        ["train", "--data", str(local), "--output", run, "--resume"],
        ["generate", run],
        ["evaluate", run, "--data", str(local)],
    ):
        capfd.readouterr()
        assert main(argv) == 2
        assert capfd.readouterr().err == (
            f"error: {run} is a URL; a run must be in a folder of this machine. "
            "Name a local or mounted folder, and copy it to or from the URL.\n"
        )


def test_a_file_url_is_a_folder_of_this_machine(
    tmp_path: Path, local: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_corpus(str(tmp_path / "texts"))
    data = f"file://{tmp_path}/data"
    assert main(["prepare", "--input", f"file://{tmp_path}/texts/*.txt", "--output", data, *OPTIONS]) == 0
    assert contents(str(tmp_path / "data")).keys() == contents(str(local)).keys()
    for command in ("verify", "repair", "inspect"):
        assert main([command, data]) == 0


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_missing_driver_is_told_by_every_command(
    scheme: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"gs": "gcp", "s3": "aws"}[scheme]
    for module in ("gcsfs", "s3fs"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    url = f"{scheme}://bucket/data"
    for argv in (
        ["prepare", "--input", f"{url}/*.txt", "--output", "out"],
        ["verify", url],
        ["repair", url],
        ["inspect", url],
        ["train", "--data", url, "--output", "run"],
    ):
        capfd.readouterr()
        assert main(argv) == 2
        told = capfd.readouterr().err
        assert "needs a driver of fsspec that is not installed. " in told
        assert f"Install it: pip install 'textgen-stream[{extra}]'." in told
