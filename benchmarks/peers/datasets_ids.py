"""Token ids by Hugging Face datasets and tokenizers: `load_dataset`, then a batched `map` to uint16."""

import os

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

import time
from collections.abc import Callable

import datasets
import job
import pyarrow.compute
import tokenizers


def main() -> None:
    given = job.arguments()
    started = time.monotonic()
    texts = datasets.load_dataset(
        "csv",
        data_files=given.corpus,
        split="train",
        cache_dir=str(given.output / "cache"),
        num_proc=len(given.corpus),
    )
    result = texts.map(
        words_in_python(given.vocabulary) if given.python else words_by_tokenizers(given.vocabulary),
        batched=True,
        batch_size=job.BATCH,
        num_proc=len(given.corpus),
        remove_columns=["text"],
        features=datasets.Features({"ids": datasets.List(datasets.Value("uint16"))}),
        # The cache is the result, so nothing is written twice.
        cache_file_name=str(given.output / "ids.arrow"),
    )
    seconds = time.monotonic() - started
    tokens = pyarrow.compute.sum(pyarrow.compute.list_value_length(result.data.column("ids"))).as_py()
    job.report(seconds, given.output.glob("ids*.arrow"), tokens=tokens)


def words_by_tokenizers(vocabulary: str) -> Callable[[dict], dict]:
    tokenizer = tokenizers.Tokenizer.from_file(vocabulary)
    return lambda batch: {"ids": [encoding.ids for encoding in tokenizer.encode_batch_fast(batch["text"])]}


def words_in_python(vocabulary: str) -> Callable[[dict], dict]:
    known = job.vocabulary(vocabulary)
    return lambda batch: {"ids": [job.ids(text, known) for text in batch["text"]]}


if __name__ == "__main__":
    main()
