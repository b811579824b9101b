import sys
from pathlib import Path

import pytest

from pipelines.process_memory import limit_arenas, release_unused


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another allocator")
def test_memory_that_is_not_used_is_given_back() -> None:
    limit_arenas()
    # Small enough for the heap, whose end stays in use.
    small = [bytes(10_000) for _ in range(10_000)]
    last = bytes(10_000)
    del small
    before = resident_bytes()
    release_unused()
    assert resident_bytes() < before - 50_000_000 and last
