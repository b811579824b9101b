"""The program that PyFlink runs: a chain of stages, each done by processes of textgen's Python.

PyFlink needs another version of Beam than textgen, so another Python runs this file, which does not have textgen. The
file imports nothing of it, and passes elements on as bytes.

    flink run --python flink_job.py JOB

JOB is a pickled dictionary: `name` (of the job on the cluster), `launcher` (id of the process whose end cancels the
job), `elements` (list of bytes), `stages` (list of (is_grouped, first message to the worker)), `worker` (command that
starts a worker) and `variables` (its environment variables).
"""

import base64
import contextlib
import os
import pickle
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.functions import FlatMapFunction
from pyflink.table import EnvironmentSettings, StreamTableEnvironment

_LENGTH = "<I"
_LENGTH_BYTES = 4
_PAIRS = Types.ROW_NAMED(["k", "v"], [Types.STRING(), Types.STRING()])
"""Type of rows: a key, empty where rows are not grouped, and an element or several in base 64."""


class Work(FlatMapFunction):
    """Sends lists of elements to a process of textgen, and yields its answers: pairs of a key and an element."""

    def __init__(self, worker: list[str], variables: dict[str, str], first: bytes):
        self._worker, self._variables, self._first = worker, variables, first
        self._process: Any = None

    def flat_map(self, value: Row) -> Iterator[Row]:
        """Yields the results of a row: of an element, or of the elements of a group, with commas between them.

        Raises:
            RuntimeError: the work failed, with the traceback; or its process was ended.
        """
        if self._process is None:
            # Standard error is the log of Flink's worker.
            self._process = subprocess.Popen(
                self._worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **self._variables}
            )
            self._send(self._first)
        self._send(pickle.dumps([base64.b64decode(element) for element in value[1].split(",")]))
        length = self._process.stdout.read(_LENGTH_BYTES)
        if len(length) < _LENGTH_BYTES:
            raise RuntimeError(
                f"a worker of textgen was ended with exit code {self._process.wait()}. See the TaskManager's log."
            )
        answer = pickle.loads(self._process.stdout.read(*struct.unpack(_LENGTH, length)))
        if isinstance(answer, str):
            raise RuntimeError(answer)
        for key, result in answer:
            yield Row(key, base64.b64encode(result).decode())

    def _send(self, message: bytes) -> None:
        self._process.stdin.write(struct.pack(_LENGTH, len(message)) + message)
        self._process.stdin.flush()

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()


def main(path: str) -> None:
    """Runs a job, and waits for its end."""
    job = pickle.loads(Path(path).read_bytes())
    threading.Thread(target=_end_with, args=(job["launcher"],), daemon=True).start()
    environment = StreamExecutionEnvironment.get_execution_environment()
    environment.set_runtime_mode(RuntimeExecutionMode.BATCH)
    tables = StreamTableEnvironment.create(environment, EnvironmentSettings.in_batch_mode())
    texts = [Row("", base64.b64encode(element).decode()) for element in job["elements"]]
    data = environment.from_collection(texts, type_info=_PAIRS)
    for is_grouped, first in job["stages"]:
        if is_grouped:
            # Keyed state of PyFlink lost elements in batches; tables are grouped in Java.
            tables.create_temporary_view("pairs", data)
            data = tables.to_data_stream(tables.sql_query("SELECT k, LISTAGG(v, ',') AS v FROM pairs GROUP BY k"))
            tables.drop_temporary_view("pairs")
        # Each further operation of Python would take a process of its own.
        data = data.rebalance().flat_map(Work(job["worker"], job["variables"], first), output_type=_PAIRS)
    data.map(_nothing, output_type=Types.STRING()).print()
    environment.execute(job["name"])


def _end_with(launcher: int) -> None:
    """Ends this process when the launcher has ended; Flink's client then cancels the job."""
    with contextlib.suppress(ProcessLookupError):
        while True:
            # The signal 0 only asks whether there is the process.
            os.kill(launcher, 0)
            time.sleep(1)
    os._exit(1)


def _nothing(row: Row) -> str:
    return ""


if __name__ == "__main__":
    main(sys.argv[-1])
