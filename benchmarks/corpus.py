"""The corpora that benchmarks read: documents of a folder of files, or the sample's, as CSV files of a given size."""

import csv
import itertools
import random
from collections.abc import Iterable
from pathlib import Path

import memory


def documents(folder: Path | None) -> list[str]:
    """The documents of the CSV and text files in a folder, each on one line, shuffled by a fixed seed.

    Without a folder, or with nothing in it, those of the sample corpus.
    """
    texts = list(itertools.chain.from_iterable(map(read, files(folder)))) or memory.documents()
    texts = [joined for text in texts if (joined := " ".join(text.split()))]
    random.Random(1).shuffle(texts)
    return texts


def files(folder: Path | None) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in (".csv", ".txt")) if folder else []


def read(path: Path) -> list[str]:
    """The paragraphs of a text file, or a CSV file's column that holds the most text."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        if path.suffix == ".txt":
            return file.read().replace("\r\n", "\n").split("\n\n")
        csv.field_size_limit(1 << 30)
        header, *rows = csv.reader(file)
        rows = [row for row in rows if len(row) == len(header)]
        return list(max(zip(*rows, strict=True), key=lambda column: sum(map(len, column))))


def write(folder: Path, texts: list[str], size: int, workers: Iterable[int] = ()) -> None:
    """The texts, again and again up to the size: as one file, and dealt out to a file a worker."""
    folder.mkdir()
    for count in {1, *workers}:
        opened = [path.open("w", encoding="utf-8", newline="") for path in parts(folder, count)]
        writers = [csv.writer(file) for file in opened]
        for writer in writers:
            writer.writerow(["text"])
        left = size
        for text, writer in zip(itertools.cycle(texts), itertools.cycle(writers), strict=False):
            writer.writerow([text])
            left -= len(text.encode())
            if left <= 0:
                break
        for file in opened:
            file.close()


def parts(folder: Path, count: int = 1) -> list[Path]:
    return [folder / f"part-{i}-of-{count}.csv" for i in range(count)] if count > 1 else [folder / "corpus.csv"]
