"""What the peers' scripts share: their arguments, a document's words and ids, and the line they print."""

import argparse
import csv
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# Each worker keeps to its core: faster than one whose tokenizer uses all of them.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# The words of the Whitespace pre-tokenizer of Hugging Face's tokenizers.
WORD = re.compile(r"\w+|[^\w\s]+")
# Ids before the target of a pair.
WINDOW = 44
# Documents of a call of Hugging Face's tokenizers.
BATCH = 1000

# A document may be a whole novel; datatrove's reader goes by this too.
csv.field_size_limit(1 << 30)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", nargs="+", help="files of the corpus; as many processes work as there are files")
    parser.add_argument("--vocabulary", required=True, help="a tokenizer.json of Hugging Face's")
    parser.add_argument("--output", required=True, type=Path, help="a new folder")
    parser.add_argument("--python", action="store_true", help="datasets: split words in Python, not by tokenizers")
    return parser.parse_args()


def documents(path: str) -> Iterator[str]:
    """The column `text` of a CSV file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"]


def vocabulary(path: str) -> dict[str, int]:
    """Word → id."""
    return json.loads(Path(path).read_text(encoding="utf-8"))["model"]["vocab"]


def ids(text: str, known: dict[str, int]) -> list[int]:
    """The ids of the words of a text in lower case; 1 stands for an unknown one."""
    return [known.get(word, 1) for word in WORD.findall(text.lower())]


def document_ids(path: str, model: str) -> Iterator[list[int]]:
    """The ids of each document of a file: of its words, or by Hugging Face's tokenizers if `model` has merges."""
    if json.loads(Path(model).read_text(encoding="utf-8"))["model"]["type"] == "WordLevel":
        known = vocabulary(model)
        yield from (ids(text, known) for text in documents(path))
        return
    # Some peers' environments have no tokenizers.
    import tokenizers

    tokenizer, texts = tokenizers.Tokenizer.from_file(model), documents(path)
    while batch := list(itertools.islice(texts, BATCH)):
        yield from (encoding.ids for encoding in tokenizer.encode_batch_fast(batch))


def report(seconds: float, files: Iterable[Path], *, tokens: int, pairs: int = 0) -> None:
    """Prints the measurement as one JSON line."""
    size = sum(path.stat().st_size for path in files if path.is_file())
    measured = {"peer": Path(sys.argv[0]).stem, "seconds": round(seconds, 3), "bytes": size}
    print(json.dumps({**measured, "tokens": tokens, "pairs": pairs}), flush=True)
