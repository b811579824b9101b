"""Measures what the sections of a run's report about held-out text show."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from textgen.config import EOS, GeneratedTextConfig
from textgen.dataset import read_manifest
from textgen.generation.unprompted_texts import write_unprompted
from textgen.generation.writer import Writer
from textgen.model.language_model import LanguageModel
from textgen.reporting.held_out_scores import ScoredDocument, score_documents
from textgen.runs import FILE_NAME, RunConfig
from textgen.text.preprocessor import Preprocessor
from textgen.training.setup import check_same_text
from textgen.training.text_quality.comparison import TextQuality, compare, require_comparable


@dataclasses.dataclass(frozen=True)
class HeldOutFigures:
    """Measurements of a run on held-out text.

    Attributes:
        split: name of the split.
        documents: scores of a sample of its documents, the lowest loss first.
        window: W of a network that sees so many tokens; None for one that sees all before.
        counts: number of occurrences of each id in the training text; -1 for reserved ids.
        preprocessor: decodes ids.
        quality: written text beside held-out text.
    """

    split: str
    documents: Sequence[ScoredDocument]
    window: int | None
    counts: Sequence[int]
    preprocessor: Preprocessor
    quality: TextQuality


def measure_held_out(
    run: Path, config: RunConfig, model: LanguageModel, preprocessor: Preprocessor, data: str, split: str
) -> HeldOutFigures:
    """Scores held-out documents, and writes texts to compare.

    Args:
        run: folder of the run.
        config: its settings.
        model: its network.
        preprocessor: encodes and decodes its text.
        data: folder or URL of its dataset.
        split: "validation" or "test".

    Raises:
        UserError: the dataset does not fit the run, the split is empty or not held out, or a shard is damaged.
        OSError: a file cannot be read.
    """
    manifest = read_manifest(data)
    check_same_text(data, manifest, config, origin=str(run / FILE_NAME))
    require_comparable(data, manifest, split)
    settings = GeneratedTextConfig(generation=True)
    texts = write_unprompted(Writer(model, preprocessor, boundaries=config.boundaries), settings)
    return HeldOutFigures(
        split=split,
        documents=score_documents(model, preprocessor, data, manifest, split=split),
        window=None if config.model.causal else config.window,
        counts=[-1] * (EOS + 1) + list(preprocessor.vocabulary.counts),
        preprocessor=preprocessor,
        quality=compare(texts, data, manifest, preprocessor, split=split, settings=settings),
    )
