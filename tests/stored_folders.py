"""A folder with two files, on this machine or at a URL, for the tests of reading and writing."""

import fsspec

CONTENT = bytes(range(100))
"""Content of the file `a`; the file `b` is empty."""


class Folders:
    """A folder that is named `directory`, and how to fill it."""

    def __init__(self, directory: str):
        self.directory = directory

    def write(self, name: str, content: bytes) -> None:
        with fsspec.open(f"{self.directory}/{name}", "wb", auto_mkdir=True) as file:
            file.write(content)
