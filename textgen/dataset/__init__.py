"""Datasets: (X, y) pairs on disk, and streams of batches read from them. Works on ids, not on text."""

from textgen.dataset.loading.loader import read_pairs, read_sequences
from textgen.dataset.loading.mixture import Data, weights_of
from textgen.dataset.loading.pytorch import torch_pairs, torch_sequences
from textgen.dataset.storage.layouts import LAYOUTS
from textgen.dataset.storage.manifest import Manifest, UnitReport, read_manifest
from textgen.dataset.storage.verification import verify

__all__ = [
    "LAYOUTS", "Data", "Manifest", "UnitReport",
    "read_manifest", "read_pairs", "read_sequences", "torch_pairs", "torch_sequences", "verify",
    "weights_of",
]  # fmt: skip
