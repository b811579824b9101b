"""Trials of two commands in one folder of a store."""

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trial import Trial
from tests.stores.servers import ALL
from tests.stores.store_commands import (
    hashes,
    local_hashes,
    make_texts,
    names,
    prepare_words,
    run,
    start,
    upload,
)
from textgen import remote_files

_SECONDS = 600.0


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    for scheme in ALL:
        yield Trial(f"{scheme}, four preparations begin at once", functools.partial(_at_once, scheme), _SECONDS)
        yield Trial(f"{scheme}, a preparation after a killed one", functools.partial(_after_kill, scheme), _SECONDS)
        if full:
            yield Trial(f"{scheme}, the lock of another machine", functools.partial(_elsewhere, scheme), _SECONDS)


def _at_once(scheme: str, folder: Path) -> None:
    texts = make_texts(folder)
    expected = local_hashes(folder, texts)
    with ALL[scheme](folder, None) as store:
        words = prepare_words(upload(texts, store), f"{store.root}/data")
        processes = [start(words, store) for _ in range(4)]
        ends = [(process.communicate()[1], process.returncode) for process in processes]
        codes = sorted(code for _, code in ends)
        # One that begins after the end of another finds a complete dataset.
        assert codes[0] == 0 and set(codes) <= {0, 2}, ends
        for errors, code in ends:
            assert code == 0 or "is being written by `textgen prepare`" in errors, errors
        made = [errors for errors, code in ends if code == 0 and "complete already" not in errors]
        assert len(made) == 1, ends
        assert hashes(f"{store.root}/data") == expected
        assert not {name for name in names(f"{store.root}/data") if name.startswith("_lock")}


def _after_kill(scheme: str, folder: Path) -> None:
    texts = make_texts(folder)
    expected = local_hashes(folder, texts)
    with ALL[scheme](folder, None) as store:
        data = f"{store.root}/data"
        words = prepare_words(upload(texts, store), data)
        process = start(words, store)
        _wait_for(data, "_lock")
        process.kill()
        process.communicate()
        assert "_lock" in names(data)
        assert "which has ended; its lock is taken over" in run(words, store)
        assert hashes(data) == expected


def _elsewhere(scheme: str, folder: Path) -> None:
    texts = make_texts(folder)
    with ALL[scheme](folder, None) as store:
        data = f"{store.root}/data"
        words = prepare_words(upload(texts, store), data)
        process = start(words, store)
        _wait_for(data, "_lock")
        process.kill()
        process.communicate()
        driver, path = remote_files.connect(data)
        record = json.loads(driver.cat_file(f"{path}/_lock"))
        driver.pipe_file(f"{path}/_lock", (json.dumps({**record, "host": "elsewhere"}) + "\n").encode())
        begun = time.monotonic()
        told = run(words, store)
        assert "waiting up to 60 s for a sign of life" in told, told
        assert 55 < time.monotonic() - begun < 150


def _wait_for(url: str, name: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            found = names(url)
        except FileNotFoundError:
            found = set()
        if name in found:
            return
        assert time.monotonic() < end
        time.sleep(0.05)
