"""Trials of uploads that are cut: by the end of the command, or by a connection that breaks."""

import functools
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trial import Trial
from tests.stores import faulty_proxy
from tests.stores.faulty_proxy import Fault, Request
from tests.stores.servers import ALL, Store, free_port
from tests.stores.store_commands import hashes, local_hashes, make_texts, names, prepare_words, run, start, upload
from textgen import remote_files

_SECONDS = 600.0
_SHARD = "train-000000.tfrecord"
_SMALL = 20_000
"""Size in bytes that only shards exceed of the files that HDFS has under a temporary name until they are complete."""


def trials(full: bool) -> Iterator[Trial]:
    """Yields the trials."""
    for scheme in ALL:
        yield Trial(f"{scheme}, SIGKILL while a shard is sent", functools.partial(_killed, scheme), _SECONDS)
        yield Trial(f"{scheme}, connections break in uploads", functools.partial(_broken, scheme), _SECONDS)
        if full:
            yield Trial(f"{scheme}, no upload of a shard ends", functools.partial(_never, scheme), _SECONDS)


def _is_upload(request: Request) -> bool:
    """Returns whether a request has content of a shard, as far as its path tells."""
    is_temporary = re.search(r"/_work/[0-9a-f]{32}\.tmp\?", request.path) and request.size > _SMALL
    is_named = "train-" in request.path and ".tfrecord" in request.path
    return request.method in ("PUT", "POST") and bool(is_temporary or is_named)


def _killed(scheme: str, folder: Path) -> None:
    texts, port = make_texts(folder), free_port()
    expected = local_hashes(folder, texts)
    with faulty_proxy.running(port) as proxy, ALL[scheme](folder, port) as store:
        proxy.target, proxy.data_target = store.port, store.data_port
        words = prepare_words(upload(texts, store), f"{store.root}/data")
        # Half of the shard is with the store when the process ends.
        proxy.rule = lambda request: Fault(seconds=20, cut=True) if _is_uploaded(scheme, request) else None
        process = start(words, store, TEXTGEN_RETRY_SECONDS="100")
        _wait_for_fault(proxy)
        process.kill()
        process.communicate()
        _require_no_shard(store)
        proxy.rule = _no_fault
        run(words, store)
        assert hashes(f"{store.root}/data") == expected


def _broken(scheme: str, folder: Path) -> None:
    texts, port = make_texts(folder), free_port()
    expected = local_hashes(folder, texts)
    with faulty_proxy.running(port) as proxy, ALL[scheme](folder, port) as store:
        proxy.target, proxy.data_target = store.port, store.data_port
        words = prepare_words(upload(texts, store), f"{store.root}/data")
        uploads = itertools.count()
        proxy.rule = lambda request: Fault(cut=True) if _is_in_second_half(request, uploads) else None
        told = run(words, store)
        assert len(proxy.faults) >= 3, proxy.faults
        assert "trying again for up to" in told, told
        proxy.rule = _no_fault
        assert hashes(f"{store.root}/data") == expected


def _never(scheme: str, folder: Path) -> None:
    texts, port = make_texts(folder), free_port()
    expected = local_hashes(folder, texts)
    with faulty_proxy.running(port) as proxy, ALL[scheme](folder, port) as store:
        proxy.target, proxy.data_target = store.port, store.data_port
        words = prepare_words(upload(texts, store), f"{store.root}/data")
        proxy.rule = lambda request: Fault(cut=True) if _is_uploaded(scheme, request) else None
        told = run(words, store, code=1, TEXTGEN_RETRY_SECONDS="3")
        assert sum(line.startswith("error: ") for line in told.splitlines()) == 1, told
        _require_no_shard(store)
        proxy.rule = _no_fault
        run(words, store)
        assert hashes(f"{store.root}/data") == expected


def _is_in_second_half(request: Request, uploads: "itertools.count[int]") -> bool:
    """Returns whether an upload is one of three in a row, since some clients repeat one unseen."""
    is_upload = request.method in ("PUT", "POST") and request.size > 0 and "delete" not in request.path
    return is_upload and next(uploads) % 6 >= 3


def _is_uploaded(scheme: str, request: Request) -> bool:
    # Google's interface has the name of a small object in the body of the request.
    return _is_upload(request) or (scheme == "gs" and request.method == "POST" and request.number > 100)


def _no_fault(_: Request) -> Fault | None:
    return None


def _wait_for_fault(proxy: faulty_proxy.Proxy) -> None:
    end = time.monotonic() + 120
    while not proxy.faults:
        assert time.monotonic() < end, "nothing was uploaded"
        time.sleep(0.05)
    time.sleep(0.5)


def _require_no_shard(store: Store) -> None:
    remote_files.connect(store.root)
    assert _SHARD not in names(f"{store.root}/data"), names(f"{store.root}/data")
