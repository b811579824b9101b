"""Reads random files in random ways, and prints each way in which a property fails.

    python -m tests.fuzzing.run [--minutes 10] [--seed 1] [--workers N]
    python -m tests.fuzzing.run --case 1:4711

A case is a file, valid or damaged, with the settings with which it is read; it is made from its seed alone. It may be
refused by a message of one line. Otherwise it gives the same documents and rejected items whatever the sizes of units
and blocks, without another exception, and within bounds of time and memory. A case that fails is made smaller
and printed with its seed, which `--case` tries again. Cases run in worker processes; one that dies is started again.
"""

import argparse
import collections
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

from tests.fuzzing.cases import Case, make_case
from tests.fuzzing.trials import CASE_SECONDS, Failure, limit_memory, shrunk, try_case

_FORK = multiprocessing.get_context("fork")
_WALL_SECONDS = 4 * CASE_SECONDS
_MAX_SHOWN = 1000


class _Worker(NamedTuple):
    process: multiprocessing.process.BaseProcess
    connection: Connection


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="time to search")
    parser.add_argument("--seed", type=int, default=0, help="seed of all cases; 0: one of the time")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="number of processes")
    parser.add_argument("--case", help="seed of a single case, as printed")
    parser.add_argument("--no-shrink", action="store_true", help="print failing cases as they are found")
    arguments = parser.parse_args()
    if arguments.case:
        sys.exit(_show(arguments.case, try_case(make_case(arguments.case)), shrink=not arguments.no_shrink))
    seed = arguments.seed or int(time.time())
    search = _Search(seed, time.monotonic() + 60 * arguments.minutes, shrink=not arguments.no_shrink)
    search.run(arguments.workers)
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(search.counts.items()))
    print(f"seed {seed}: {sum(search.counts.values()):,} cases: {counts}")
    for kind, seeds in search.failures.items():
        print(f"  {len(seeds):,} × {kind}; --case {seeds[0]}")
    sys.exit(bool(search.failures))


class _Search:
    """Tries cases one after another until the time is over.

    Attributes:
        counts: number of cases by result.
        failures: seeds of the failing cases by kind.
    """

    def __init__(self, seed: int, end: float, *, shrink: bool) -> None:
        self.counts = collections.Counter[str]()
        self.failures: dict[str, list[str]] = {}
        self._seed, self._next, self._end, self._shrink = seed, 0, end, shrink

    def run(self, workers: int) -> None:
        """Hands cases to worker processes, and replaces those that die or hang."""
        running = {}
        for _ in range(workers):
            worker = _started()
            running[worker.connection] = (worker, self._give(worker), time.monotonic())
        while running:
            ready = multiprocessing.connection.wait(list(running), timeout=1.0)
            for connection in ready:
                worker, case, _ = running.pop(connection)
                worker, found = _result(worker)
                self._count(case, found)
                if time.monotonic() < self._end:
                    running[worker.connection] = (worker, self._give(worker), time.monotonic())
                else:
                    _stop(worker)
            for connection, (worker, case, begun) in list(running.items()):
                if time.monotonic() - begun > _WALL_SECONDS:
                    del running[connection]
                    _stop(worker)
                    self._count(case, Failure("hangs", f"no answer in {_WALL_SECONDS:g} seconds"))
                    worker = _started()
                    running[worker.connection] = (worker, self._give(worker), time.monotonic())

    def _give(self, worker: _Worker) -> str:
        case = f"{self._seed}:{self._next}"
        self._next += 1
        worker.connection.send(case)
        return case

    def _count(self, case: str, found: Failure | str) -> None:
        self.counts["failed" if isinstance(found, Failure) else found] += 1
        if isinstance(found, Failure):
            self.failures.setdefault(found.kind, []).append(case)
            if len(self.failures[found.kind]) == 1:
                _show(case, found, shrink=self._shrink)


def _started() -> _Worker:
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _work(connection: Connection) -> None:
    limit_memory()
    while True:
        connection.send(try_case(make_case(connection.recv())))


def _result(worker: _Worker) -> tuple[_Worker, Failure | str]:
    """Returns a worker that lives, and the result of the given one's case."""
    try:
        return worker, worker.connection.recv()
    except EOFError:
        worker.process.join()
        return _started(), Failure("the process dies", f"exit code {worker.process.exitcode}")


def _stop(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()


def _fails(case: Case, kind: str) -> bool:
    """Returns whether a case fails in a way, in a process of its own."""
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_try_once, args=(theirs, case), daemon=True)
    process.start()
    theirs.close()
    worker = _Worker(process, ours)
    found: Failure | str = Failure("hangs", "")
    if ours.poll(_WALL_SECONDS):
        try:
            found = ours.recv()
        except EOFError:
            found = Failure("the process dies", "")
    _stop(worker)
    return isinstance(found, Failure) and found.kind == kind


def _try_once(connection: Connection, case: Case) -> None:
    limit_memory()
    connection.send(try_case(case))


def _show(seed: str, found: Failure | str, *, shrink: bool) -> bool:
    """Prints a failure, with a smaller case; returns whether it is one."""
    if not isinstance(found, Failure):
        print(f"{seed}: {found}")
        return False
    print(f"--case {seed}: {found.kind}\n{found.details[-_MAX_SHOWN:]}")
    case = make_case(seed)
    if shrink:
        case = shrunk(case, lambda smaller: _fails(smaller, found.kind))
    shown = {name: repr(value)[:_MAX_SHOWN] for name, value in case._asdict().items()}
    print(json.dumps(shown, indent=2, ensure_ascii=False), flush=True)
    return True


if __name__ == "__main__":
    main()
