import subprocess
import sys

import tensorflow

from textgen.lazy_tensorflow import tf, tf_text

SCRIPT = """
import sys
from textgen.lazy_tensorflow import tf
from textgen.text.filters import make_filters
from textgen.config import SelectionConfig
made = make_filters(SelectionConfig(min_tokens=2, min_letters_percent=50, repetition="drop"))
assert len(made) == 3 and "tensorflow" not in sys.modules
assert tf.constant([1]).numpy().tolist() == [1] and "tensorflow" in sys.modules
"""


def test_tensorflow_is_imported_when_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    # Without TensorFlow's greeting.
    assert (done.returncode, done.stderr) == (0, "")


def test_names_are_those_of_tensorflow() -> None:
    assert tf.Tensor is tensorflow.Tensor
    assert tf_text.normalize_utf8
