from datetime import datetime, timezone
from typing import Any

import pytest

from textgen.file_versions import Stamp, Version, version_in

SECONDS = 1_700_000_000.0
TIME = datetime.fromtimestamp(SECONDS, timezone.utc)


class Driver:
    """A driver that tells the time of a file only when it is asked, or not at all."""

    def __init__(self, modified: datetime | None) -> None:
        self._modified = modified

    def modified(self, name: str) -> datetime:
        if self._modified is None:
            raise NotImplementedError
        return self._modified


@pytest.mark.parametrize(
    ("info", "modified", "expected"),
    [
        ({"LastModified": TIME, "ETag": '"0cc1"'}, None, Version(Stamp(3, SECONDS), '"0cc1"')),
        ({"updated": "2023-11-14T22:13:20Z", "etag": "x", "generation": 7}, None, Version(Stamp(3, SECONDS), "x")),
        ({"mtime": SECONDS, "created": 5.5}, None, Version(Stamp(3, SECONDS), "5.5")),
        ({"created": None}, TIME, Version(Stamp(3, SECONDS), "")),
        ({"ETag": 'W/"a"', "Last-Modified": "Tue, 14 Nov 2023"}, None, Version(Stamp(3, 0), 'W/"a"')),
        ({"Last-Modified": "Tue, 14 Nov 2023"}, None, Version(Stamp(3, 0), "Tue, 14 Nov 2023")),
        ({}, None, Version(Stamp(3, 0), "")),
    ],
)
def test_time_and_tag_are_what_the_driver_of_a_store_gives(
    info: dict[str, Any], modified: datetime | None, expected: Version
) -> None:
    assert version_in(Driver(modified), {"name": "a", "size": 3, **info}) == expected
