from textgen.config import FORMATS
from textgen.corpus.formats import FORMAT_OF_ENDING, READERS


def test_every_format_has_a_reader():
    assert tuple(READERS) == FORMATS


def test_every_ending_has_one_format():
    assert FORMAT_OF_ENDING == {
        ".csv": "csv",
        ".tsv": "tsv",
        ".tab": "tsv",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".json-lines": "jsonl",
        ".json": "json",
        ".parquet": "parquet",
        ".pq": "parquet",
    }
    assert len(FORMAT_OF_ENDING) == sum(len(reader.endings) for reader in READERS.values())
