"""Speed of preparation, beside other libraries that make token ids or pairs out of text.

    python benchmarks/prepare.py [--corpora DIR] [--peers-python PYTHON] [--only ours datasets …] [--rounds 5]
                                 [--tokenizers word bpe char byte]

Every run is a process of its own, confined to as many cores as it has workers (Linux); each round runs every way
once, and the table shows medians. Each way reads the same documents, the one column `text` of a CSV file.

Some things favour the peers. Their vocabulary of 8,000 words is made beforehand; ours is learned in the measured
time. They find the corpus dealt out to a file a worker; ours finds one file. Rates are reckoned from the seconds of
their job, without imports; for ours, from the whole command with its imports and both its passes. With `bpe`, the
peers use Hugging Face's tokenizers; `char` and `byte` have none.
"""

import argparse
import itertools
import json
import re
import shlex
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import corpus
import memory
import table
import tokenizers
from memory import MB

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
WORDS, MERGES = ("word",), ("bpe",)
SCRIPTS = [
    ("datasets", "ids", "datasets, tokenizers", WORDS + MERGES, ["datasets_ids.py"]),
    ("datasets", "ids", "datasets, words split in Python", WORDS, ["datasets_ids.py", "--python"]),
    ("datatrove", "ids", "datatrove", WORDS + MERGES, ["datatrove_ids.py"]),
    ("litdata", "ids", "litdata, words split in Python", WORDS, ["litdata_ids.py"]),
    ("litdata", "ids", "litdata, tokenizers", MERGES, ["litdata_ids.py"]),
    ("streaming", "ids", "streaming, words split in Python", WORDS, ["streaming_ids.py"]),
    ("streaming", "ids", "streaming, tokenizers", MERGES, ["streaming_ids.py"]),
    ("streaming", "pairs", "streaming, a sample a pair", WORDS, ["streaming_pairs.py"]),
    ("beam", "pairs", "naive Beam", WORDS, ["naive_beam.py"]),
]
SPLITS = ("train", "validation", "test")
GROUPS = ["ours", *dict.fromkeys(group for group, *_ in SCRIPTS)]

COLUMNS = ["way", "tokens", "workers", "text", "whole process", "CPU", "job"]
COLUMNS += ["MB of text/s", "tokens or pairs/s", "bytes per token or pair", "peak memory", "ours ÷ this"]


@dataclass(kw_only=True)
class Run:
    """One measurement.

    Attributes:
        whole: seconds of the whole process.
        cpu: seconds of all cores in it.
        job: seconds of the job alone.
        memory: peak bytes of memory.
        bytes: bytes written.
        tokens: tokens written.
        pairs: pairs written.
    """

    whole: float
    cpu: float
    job: float
    memory: int
    bytes: int
    tokens: int
    pairs: int


@dataclass(kw_only=True)
class Way:
    """A row of the table."""

    group: str
    makes: str
    name: str
    tokenizer: str
    mb: int
    workers: int
    command: list[str]
    runs: list[Run] = field(default_factory=list)

    def median(self, measure: str) -> float:
        return statistics.median(getattr(run, measure) for run in self.runs)

    @property
    def seconds(self) -> float:
        """What rates are reckoned from: the job, which for ours is the whole command."""
        return self.median("job")

    @property
    def rate(self) -> float:
        """MB of text per second, or pairs per second, since naive Beam makes fewer pairs of a text."""
        return (self.median("pairs") if self.makes == "pairs" else self.mb) / self.seconds


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        ways = list(plan(arguments, Path(scratch)))
        texts = corpus.documents(arguments.corpora)
        write_words(Path(scratch) / "word.json", texts)
        if "bpe" in arguments.tokenizers:
            write_merges(Path(scratch) / "bpe.json", texts)
        for mb in {way.mb for way in ways}:
            corpus.write(Path(scratch) / str(mb), texts, mb * MB, arguments.workers)
        for _ in range(arguments.rounds):
            for way in ways:
                measure(way, Path(scratch) / "output")
    print_table([way for way in ways if way.runs])
    if not all(way.runs for way in ways):
        sys.exit("some ways failed")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--corpora", type=Path, help="a folder of CSV and text files; default: the sample's documents"
    )
    parser.add_argument("--scratch", help="where corpora and outputs are written for the time being")
    parser.add_argument("--peers-python", default=ROOT / ".venv-peers" / "bin" / "python", help="has the peers")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, metavar="WAY", help=", ".join(GROUPS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokenizers", nargs="+", choices=("word", "bpe", "char", "byte"), default=["word"])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--mb", type=int, default=300, help="text for `--layout spans`")
    parser.add_argument("--peer-mb", type=int, default=60, help="text for the peers' ids, and again for ours")
    parser.add_argument("--pairs-mb", type=int, default=20, help="text for pairs")
    parser.add_argument("--beam-mb", type=int, default=10, help="text for naive Beam")
    return parser.parse_args()


def plan(arguments: argparse.Namespace, scratch: Path) -> Iterable[Way]:
    """All ways, in the order of the table."""
    textgen = str(Path(sys.executable).with_name("textgen"))
    for makes, tokenizer, workers in itertools.product(("ids", "pairs"), arguments.tokenizers, arguments.workers):
        layout = "spans" if makes == "ids" else "pairs"
        sizes = {arguments.peer_mb, arguments.mb} if makes == "ids" else {arguments.pairs_mb}
        for mb in sorted(sizes) if "ours" in arguments.only else ():
            options = ["--input", str(scratch / str(mb) / "corpus.csv"), "--text-field", "text", "--layout", layout]
            options += ["--tokenizer", tokenizer, "--vocabulary-size", "8000", f"--direct_num_workers={workers}"]
            name = f"`textgen prepare --layout {layout} --tokenizer {tokenizer}`"
            command = [textgen, "prepare", *options]
            yield Way(
                group="ours", makes=makes, name=name, tokenizer=tokenizer, mb=mb, workers=workers, command=command
            )
        for group, kind, name, possible, (script, *options) in SCRIPTS:
            if kind == makes and group in arguments.only and tokenizer in possible:
                mb = arguments.peer_mb if kind == "ids" else arguments.pairs_mb
                mb = arguments.beam_mb if group == "beam" else mb
                python = sys.executable if group == "beam" else str(arguments.peers_python)
                command = [python, str(PEERS / script), *options, "--vocabulary", str(scratch / f"{tokenizer}.json")]
                command += [str(part) for part in corpus.parts(scratch / str(mb), workers)]
                yield Way(
                    group=group, makes=makes, name=name, tokenizer=tokenizer, mb=mb, workers=workers, command=command
                )


def write_words(path: Path, texts: list[str]) -> None:
    """The 8,000 commonest words, in the format of Hugging Face's tokenizers."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(re.findall(r"\w+|[^\w\s]+", text.lower()))
    words = ["[PAD]", "[UNK]", "[BOS]", "[EOS]", *(word for word, _ in counts.most_common(8000))]
    model = {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "[UNK]"}
    steps = {"normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "model": model}
    unused = dict.fromkeys(("truncation", "padding", "post_processor", "decoder"))
    path.write_text(json.dumps({"version": "1.0", "added_tokens": [], **unused, **steps}), encoding="utf-8")


def write_merges(path: Path, texts: list[str]) -> None:
    """8,000 tokens of byte-level BPE, learned from every tenth document by Hugging Face's tokenizers."""
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=8000, initial_alphabet=alphabet, show_progress=False)
    model.train_from_iterator(texts[::10], trainer)
    model.save(str(path))


def measure(way: Way, output: Path) -> None:
    """Runs the way once; a run that fails says why and is not counted."""
    command = [*way.command, "--output", str(output)]
    finished = memory.watched(command, every=0.5, cores=way.workers)
    if finished.code:
        print(f"{shlex.join(command)} failed:\n{finished.errors[-2000:]}", file=sys.stderr, flush=True)
    else:
        printed, whole = finished.printed, finished.seconds
        counts = count_ours(printed, output, whole) if way.group == "ours" else json.loads(printed.splitlines()[-1])
        written = {name: counts[name] for name in ("bytes", "tokens", "pairs")}
        way.runs.append(Run(whole=whole, cpu=finished.cpu, job=counts["seconds"], memory=finished.peak, **written))
        print(way.name, way.mb, way.workers, way.runs[-1], file=sys.stderr, flush=True)
    for path in output.parent.glob(f"{output.name}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def count_ours(printed: str, output: Path, whole: float) -> dict:
    """What a preparation printed of its splits, in the form of the peers."""
    lines = [line.replace(",", "").split() for line in printed.splitlines()]
    header = next(line for line in lines if line and line[0] == "split")
    splits = [dict(zip(header, line, strict=False)) for line in lines if line and line[0] in SPLITS]
    tokens, pairs = (sum(int(split[name]) for split in splits) for name in ("tokens", "pairs"))
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return {"seconds": whole, "bytes": size, "tokens": tokens, "pairs": pairs}


def print_table(ways: list[Way]) -> None:
    """Medians, and ours as a multiple of each peer at each size that ours ran at."""
    table.show(COLUMNS, (row(way, ways) for way in ways))


def row(way: Way, ways: list[Way]) -> list[str]:
    same = (way.makes, way.tokenizer, way.workers)
    ours = [w for w in ways if w.group == "ours" and (w.makes, w.tokenizer, w.workers) == same]
    things = way.median("pairs" if way.makes == "pairs" else "tokens")
    return [
        way.name,
        way.tokenizer,
        str(way.workers),
        f"{way.mb} MB",
        f"{way.median('whole'):.1f} s",
        f"{way.median('cpu'):.1f} s",
        f"{way.seconds:.1f} s",
        f"{way.mb / way.seconds:.2f}",
        f"{things / way.seconds:,.0f}",
        f"{way.median('bytes') / things:.1f}",
        f"{way.median('memory') / MB:,.0f} MB",
        "" if way in ours else " / ".join(f"{w.rate / way.rate:.2f} ×" for w in ours),
    ]


if __name__ == "__main__":
    main()
