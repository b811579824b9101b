"""A benchmark's results as a Markdown table, under the machine and the day."""

import os
import platform
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path


def show(columns: list[str], rows: Iterable[list[str]]) -> None:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{model[1] if model else platform.processor()}, {os.cpu_count()} cores, {date.today()}\n")
    print("|", " | ".join(columns), "|\n" + "|---" * len(columns) + "|")
    for cells in rows:
        print("|", " | ".join(cells), "|")
