"""Learns the vocabulary of a sample, and warns of what a dataset would be like."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipelines import census, count_tokens
from pipelines.document_files import unit_documents
from pipelines.text_figures import histogram, most_frequent_digests, vocabulary_sizes
from pipelines.workspace import Workspace
from textgen.config import SPLITS, PrepareConfig
from textgen.corpus.units import Unit
from textgen.dataset.storage.manifest import UnitReport
from textgen.dataset.storage.warnings import Figures, warnings
from textgen.text import vocabulary


def learn_vocabulary(
    counting: count_tokens.CountUnit, config: PrepareConfig, workspace: Workspace, sample: Sequence[Unit]
) -> pa.Table:
    """Writes the vocabulary of a sample whose units were counted.

    Args:
        counting: the counting pass.
        config: settings of the preparation.
        workspace: the folder of the sample's dataset.
        sample: units of the sample.

    Returns:
        The table of the sample's tokens, with the columns `symbol` (binary or int32) and `count` (int64).

    Raises:
        UserError: the sample has no text.
    """
    counts = count_tokens.sum_counts(counting.counts(unit.index) for unit in sample)
    census.write_sampled_vocabulary(counts, config, workspace)
    return counts


def sample_warnings(
    config: PrepareConfig, workspace: Workspace, sample: Sequence[Unit], counts: pa.Table, total: UnitReport
) -> list[str]:
    """Returns the warnings that a sample gives.

    Args:
        config: settings of the preparation.
        workspace: the folder of the sample's dataset, in which all documents belong to the training split.
        sample: units of the sample.
        counts: table of the sample's tokens, with the columns `symbol` (binary or int32) and `count` (int64).
        total: total report of the sample.
    """
    documents, equal = np.zeros(len(SPLITS), np.int64), Counter[str]()
    for unit in sample:
        found = unit_documents(workspace, unit.index)
        ranges = found.split_ranges(np.where(found.reasons == "", found.tokens, 0), config)
        documents += (ranges.starts < ranges.ends).sum(axis=1)
        equal.update(most_frequent_digests(found.digests[found.reasons == ""]))
    learned = vocabulary.load(workspace.directory)
    unknown = census.unknown_tokens(census.by_token(counts, config, workspace), config, workspace)
    figures = Figures(
        config=config,
        splits=total.splits,
        documents=dict(zip(SPLITS, documents.tolist(), strict=True)),
        vocabulary_sizes=vocabulary_sizes(histogram(counts["count"]), config, unknown=unknown),
        equal_documents=max(equal.values(), default=1),
        vocabulary=len(learned.tokens),
        unused=learned.unused(),
    )
    return warnings(figures)
