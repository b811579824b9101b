"""What is kept: the pairs on disk and the stream that serves them. It knows ids, not text."""

from textgen.dataset.loader import Data, read_pairs, weights_of
from textgen.dataset.manifest import read_manifest
from textgen.dataset.verification import verify

__all__ = ["Data", "read_manifest", "read_pairs", "verify", "weights_of"]
