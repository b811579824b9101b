"""Trials of stores that answer with errors, late, or not at all."""

import functools
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trial import Trial
from tests.stores import faulty_proxy
from tests.stores.faulty_proxy import Fault, Request
from tests.stores.servers import ALL, free_port
from tests.stores.store_commands import TRAINING, hashes, local_hashes, make_texts, prepare_words, run, upload

_SECONDS = 600.0


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    for scheme in ALL:
        for status in (500, 503, 429) if full else (503,):
            fault = functools.partial(_sometimes, scheme, Fault(status=status), 11)
            yield Trial(f"{scheme}, every 11th answer is {status}", fault, _SECONDS)
        yield Trial(f"{scheme}, every 3rd answer is 1 s late", functools.partial(_late, scheme), 2 * _SECONDS)
        yield Trial(f"{scheme}, 503 for good", functools.partial(_for_good, scheme), _SECONDS)
        if full:
            yield Trial(f"{scheme}, one answer never comes", functools.partial(_stalled, scheme), _SECONDS)


def _sometimes(scheme: str, fault: Fault, every: int, folder: Path, *, is_told: bool = True) -> None:
    texts, port = make_texts(folder), free_port()
    expected = local_hashes(folder, texts)
    with faulty_proxy.running(port) as proxy, ALL[scheme](folder, port) as store:
        proxy.target, proxy.data_target = store.port, store.data_port
        url, data = upload(texts, store), f"{store.root}/data"
        proxy.rule = lambda request: fault if request.number % every == every - 1 else None
        told = run(prepare_words(url, data), store)
        told += run(["verify", data], store)
        run(["train", "--data", data, "--output", str(folder / "run"), *TRAINING.split()], store)
        assert len(proxy.faults) >= 3, proxy.faults
        assert not is_told or "trying again for up to" in told, told
        proxy.rule = _no_fault
        assert hashes(data) == expected


def _late(scheme: str, folder: Path) -> None:
    _sometimes(scheme, Fault(seconds=1.0), 3, folder, is_told=False)


def _stalled(scheme: str, folder: Path) -> None:
    texts, port = make_texts(folder), free_port()
    expected = local_hashes(folder, texts)
    with faulty_proxy.running(port) as proxy, ALL[scheme](folder, port) as store:
        proxy.target, proxy.data_target = store.port, store.data_port
        url, data = upload(texts, store), f"{store.root}/data"
        proxy.rule = lambda request: Fault(seconds=200.0) if len(proxy.faults) < 1 and request.number > 60 else None
        begun = time.monotonic()
        run(prepare_words(url, data), store)
        assert time.monotonic() - begun > 50
        proxy.rule = _no_fault
        assert hashes(data) == expected


def _for_good(scheme: str, folder: Path) -> None:
    texts, port = make_texts(folder), free_port()
    with faulty_proxy.running(port) as proxy, ALL[scheme](folder, port) as store:
        proxy.target, proxy.data_target = store.port, store.data_port
        url, data = upload(texts, store), f"{store.root}/data"
        proxy.rule = lambda request: Fault(status=503) if request.number > 40 else None
        told = run(prepare_words(url, data), store, code=1, TEXTGEN_RETRY_SECONDS="5")
        errors = [line for line in told.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and store.root in errors[0], told
        assert "trying again for up to" in told, told


def _no_fault(_: Request) -> Fault | None:
    return None
