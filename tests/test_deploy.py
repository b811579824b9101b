"""Holds the examples in deploy/ together with the code; `make test-deploy` runs them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import apache_beam
import pytest
import yaml

from tests.deploy import dockerfile
from textgen import termination

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
WORDS = [
    "--project", "whales", "--region", "sea-north1", "--bucket", "gs://b/", "--input", "gs://b/t e/*.txt", "--output",
    "gs://b/data",
]  # fmt: skip


def dataflow(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["bash", str(DEPLOY / "dataflow.sh"), *words], capture_output=True, text=True)


def test_the_image_has_beams_contract_and_this_project() -> None:
    file = dockerfile.read(DEPLOY / "Dockerfile")
    assert file.arguments["BEAM"] == apache_beam.__version__
    assert file.others == {"beam": f"apache/beam_python{file.arguments['PYTHON']}_sdk:{file.arguments['BEAM']}"}
    assert file.entrypoint == ["/opt/apache/beam/boot"]
    copied = [each.rest.split() for each in file.instructions if each.name == "COPY"]
    assert ["--from=beam", "/opt/apache/beam", "/opt/apache/beam"] in copied
    sources = [word for words in copied if "--from=beam" not in words for word in words[:-1]]
    assert all((ROOT / source).exists() for source in sources)
    # The build is given no other files.
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    assert let_in == set(sources)


def test_the_script_for_dataflow_tells_its_command_and_costs() -> None:
    ended = dataflow(*WORDS, "--gb", "1000", "--core-hour", "0.05", "--dry-run", "--", "--tokenizer", "bpe")
    assert ended.returncode == 0, ended.stderr
    told, command = ended.stdout.rsplit("\n", 2)[:2]
    assert "21 core-hours" in told and "workers: 1.05" in told and "dataset: 500 GB" in told
    assert command.startswith("textgen prepare --input gs://b/t\\ e/\\*.txt --output gs://b/data")
    assert "--runner dataflow --project whales --region sea-north1 --temp_location gs://b/tmp" in command
    assert command.rstrip().endswith("--tokenizer bpe") and "flexrs" not in command


def test_the_rates_of_the_script_are_those_of_the_documentation() -> None:
    script, page = (DEPLOY / "dataflow.sh").read_text(), (ROOT / "docs" / "scaling.md").read_text()
    for layout in ("spans", "pairs"):
        rate, stored = (re.search(rf"{name}_{layout}=([\d.]+)", script)[1] for name in ("rate", "stored"))  # type: ignore[index]
        row = re.search(rf"^\| 1 TB \| `{layout}` \|.*$", page, re.MULTILINE)
        assert row and row[0].endswith(f"| {float(rate) * 1000:g} |") and f"| {stored}" in row[0].replace(" TB", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--project is missing"),
        (WORDS[:-2], "--output is missing"),
        ([*WORDS[:-1], "/tmp/data"], "--output is /tmp/data; it must be a URL"),
        ([*WORDS, "--gb", "much"], "--gb is much; it must be a number"),
        ([*WORDS, "--layout", "rows"], "--layout is rows"),
        ([*WORDS, "--machine", "large"], "--machine is large"),
        ([*WORDS, "--tokenizer", "bpe"], "--tokenizer is not an option of this script"),
        ([*WORDS, "--gb"], "--gb needs a value"),
    ],
)
def test_the_script_for_dataflow_refuses_bad_use(words: list[str], message: str) -> None:
    ended = dataflow(*words)
    assert ended.returncode == 2 and ended.stderr.startswith(f"error: {message}"), ended.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_scripts_have_no_faults_that_shellcheck_knows() -> None:
    scripts = [str(DEPLOY / name) for name in ("dataflow.sh", "train.slurm")]
    subprocess.run(["shellcheck", *scripts], check=True)


def test_the_job_of_slurm_is_a_script() -> None:
    path = DEPLOY / "train.slurm"
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert "--resume auto" in path.read_text() and "#SBATCH --signal=TERM@" in path.read_text()


def test_pods_find_each_other_and_have_time_to_save() -> None:
    objects: dict[str, Any] = {
        each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    }
    job, service = objects["Job"], objects["Service"]
    name, spec = job["metadata"]["name"], job["spec"]
    pod = spec["template"]["spec"]
    assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": name}
    assert pod["subdomain"] == service["metadata"]["name"]
    (config,) = (each["value"] for each in pod["containers"][0]["env"] if each["name"] == "TF_CONFIG")
    config = yaml.safe_load(config.replace("$(INDEX)", "1"))
    hosts = [f"{name}-{i}.{pod['subdomain']}:2222" for i in range(spec["completions"])]
    assert config == {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": 1}}
    assert pod["terminationGracePeriodSeconds"] > termination.GRACE_SECONDS + termination.SAVE_SECONDS
