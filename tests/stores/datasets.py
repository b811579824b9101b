"""Trials of whole datasets at stores: every command, with the hashes of a local folder."""

import functools
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trial import Trial
from tests.stores.servers import ALL
from tests.stores.store_commands import (
    TRAINING,
    hashes,
    local_hashes,
    make_texts,
    prepare_words,
    run,
    upload,
)
from textgen import remote_files

_SECONDS = 600.0


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials; both layouts only if `full`."""
    for scheme in ALL:
        for layout in ("pairs", "spans") if full else ("spans",):
            yield Trial(f"{scheme}, {layout}", functools.partial(_all_commands, scheme, layout), _SECONDS)


def _all_commands(scheme: str, layout: str, folder: Path) -> None:
    texts = make_texts(folder)
    expected = local_hashes(folder, texts, "--layout", layout)
    with ALL[scheme](folder, None) as store:
        url, data = upload(texts, store), f"{store.root}/data"
        prepare = prepare_words(url, data, "--layout", layout)
        run(prepare, store)
        assert hashes(data) == expected
        assert "complete already" in run(prepare, store)
        run(["verify", data, "--contamination"], store, code=0)
        driver, _ = remote_files.connect(data)
        driver.rm_file(f"{data}/train-000000.tfrecord")
        driver.pipe_file(f"{data}/validation-000000.tfrecord", b"damage")
        run(["verify", data], store, code=1)
        assert "remade: train-000000.tfrecord" in run(["repair", data, "--yes"], store)
        assert hashes(data) == expected
        words = ["train", "--data", data, "--output", str(folder / "run"), *TRAINING.split()]
        run([*words, "--cache", str(folder / "blocks")], store)
        run(["evaluate", str(folder / "run"), "--data", data], store)
        driver.rm_file(f"{data}/vocabulary.jsonl")
        run(prepare, store)
        assert hashes(data) == expected
