"""Warns of what makes a dataset worse than its maker may think: one sentence each, with a number and a remedy."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from textgen.config import PrepareConfig
from textgen.dataset.storage.manifest import SplitCounts

_UNKNOWN = 0.1
_TOKENS_PER_DOCUMENT = 1.5
_CHARACTERS_PER_TOKEN = 15
"""English words and marks have five characters each with the space; a sentence of Thai is one word of dozens."""

_EXAMPLES = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """Numbers of a dataset, or of the sample of an estimate.

    Attributes:
        config: settings of the preparation.
        splits: counts of the splits.
        documents: number of documents that each split would get; those of `splits` in a dataset.
        vocabulary_sizes: by a percentage, the size of the vocabulary that leaves that many percent of the training
            tokens unknown, as {"5": 12000}.
        equal_documents: number of documents with the most frequent text.
        vocabulary: number of tokens in the vocabulary.
        unused: tokens of a given vocabulary that the training text does not have.
    """

    config: PrepareConfig
    splits: Mapping[str, SplitCounts]
    documents: Mapping[str, int]
    vocabulary_sizes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    equal_documents: int = 1
    vocabulary: int = 0
    unused: Sequence[str] = ()


def warnings(figures: Figures) -> list[str]:
    """Returns a sentence for everything that a person should know about a dataset before training."""
    rules = (_unknown_tokens, _words_without_spaces, _shares, _unused_tokens)
    return [warning for rule in rules for warning in rule(figures)]


def _unknown_tokens(figures: Figures) -> Iterator[str]:
    """Warns of the split with the highest rate of unknown tokens."""
    rates = {split: counts.unknown / max(1, counts.tokens) for split, counts in figures.splits.items()}
    if not rates or max(rates.values()) <= _UNKNOWN:
        return
    # The remedy for the training split helps the others too.
    split = "train" if rates.get("train", 0) > _UNKNOWN else max(rates, key=lambda split: rates[split])
    found = f"{rates[split]:.1%} of the {split} split's tokens are unknown"
    sizes = [f"--vocabulary-size {size} leaves {percent}%" for percent, size in figures.vocabulary_sizes.items()]
    given = bool(figures.config.given_vocabulary)
    if split != "train":
        yield f"{found}, since the training text does not have them: use more text, or --tokenizer bpe or char."
    elif sizes:
        learned = "a vocabulary learned from this text" if given else f"the vocabulary has {figures.vocabulary:,}"
        remedy = " and ".join(sizes)
        yield f"{found}; {f'without --vocabulary, {remedy}' if given else f'{learned}, and {remedy}'} unknown."
    else:
        yield f"{found}: use a larger --vocabulary-size, or another --tokenizer."


def _words_without_spaces(figures: Figures) -> Iterator[str]:
    if figures.config.text.tokenizer != "word":
        return
    documents, tokens, characters = (
        sum(getattr(counts, name) for counts in figures.splits.values())
        for name in ("documents", "tokens", "characters")
    )
    remedy = "Use --tokenizer char, bpe, wordpiece or sentencepiece for text without spaces between words."
    if documents > 1 and tokens <= _TOKENS_PER_DOCUMENT * documents:
        yield f"a document has {tokens / documents:.1f} tokens on average, no more than a word or a mark. {remedy}"
    elif tokens and characters >= _CHARACTERS_PER_TOKEN * tokens:
        yield f"a token has {characters / tokens:.0f} characters on average. {remedy}"


def _shares(figures: Figures) -> Iterator[str]:
    """Warns of held-out splits that equal documents make larger or smaller than they should be."""
    config, total = figures.config, sum(figures.documents.values())
    if config.split_by != "document" or config.separates_equal_texts or not total:
        return
    for split, percent in config.held_out_percent().items():
        wanted, share = percent / 100, figures.documents.get(split, 0) / total
        off = abs(share - wanted)
        chance = 3 * math.sqrt(wanted * (1 - wanted) / total)
        if percent and off > max(chance, wanted / 4) and figures.equal_documents > max(1, off * total / 2):
            yield (
                f"the {split} split has {share:.1%} of the documents instead of {percent:g}%, since "
                f"{figures.equal_documents:,} equal documents belong to one split. Use --duplicates drop to keep one."
            )


def _unused_tokens(figures: Figures) -> Iterator[str]:
    # A tokenizer has the words of the texts from which it was learned.
    if figures.config.given_vocabulary and figures.unused and figures.config.text.tokenizer != "bpe":
        examples = ", ".join(map(repr, figures.unused[:_EXAMPLES]))
        yield (
            f"{len(figures.unused):,} of the {figures.vocabulary:,} tokens of the given vocabulary never occur in "
            f"the training text, such as {examples}. Check that --case, --punctuation and --normalization fit it."
        )
