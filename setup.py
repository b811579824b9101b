"""The installable project; Dataflow workers install it too (``--setup_file ./setup.py``)."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
(VERSION,) = re.findall(
    r'^__version__ = "(.+)"$', (HERE / "textgen" / "__init__.py").read_text(encoding="utf-8"), re.M
)

setup(
    # The import name `textgen` is another project's distribution on the package index.
    name="textgen-stream",
    version=VERSION,
    description="Streams every (window, next token) pair of a text corpus from Apache Beam to a language model.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["textgen*", "pipelines*"]),
    package_data={
        "textgen": ["py.typed"],
        "textgen.presets": ["*.toml"],
        "textgen.reporting": ["report.css"],
        "textgen.serving": ["page.html"],
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        # 2.21.0 does not import: an ICU symbol is undefined (tensorflow/text#1541).
        "tensorflow-text>=2.21.1,<2.22",
        "apache-beam>=2.77,<2.78",
        "pyarrow>=20,<26",
        "numpy>=2.1,<2.5",
        "numba>=0.63,<0.70",
        "google-crc32c>=1.5,<2",
        # The standard library has it from Python 3.11 on.
        "tomli>=2,<3; python_version < '3.11'",
        "fsspec>=2024.2,<2027",
        # The standard library has it from Python 3.14 on.
        "backports.zstd>=1.2,<2; python_version < '3.14'",
        "matplotlib>=3.8,<4",
        # tf.summary is its.
        "tensorboard>=2.20,<2.22",
        "tqdm>=4.66,<5",
        "charset-normalizer>=3.4,<4",
        "gigatoken>=0.10,<0.11",
        # Decompresses gzip two to three times as fast as the standard library, and computes CRC-32 ten times as fast.
        "isal>=1.7,<2",
    ],
    extras_require={
        # The driver of gs://.
        "gs": ["gcsfs>=2024.2,<2027"],
        # The same, and Beam's runner of Dataflow, which stages its files itself.
        "gcp": ["apache-beam[gcp]>=2.77,<2.78", "gcsfs>=2024.2,<2027"],
        "aws": ["s3fs>=2024.2,<2027"],
        # The engine of --runner spark; its version must be that of the cluster.
        "spark": ["pyspark>=3.5,<3.6"],
        # The drivers of https:// and hf://.
        "http": ["fsspec[http]>=2024.2,<2027"],
        "hf": ["huggingface_hub>=0.23,<2"],
        # `export --format onnx` writes with the first one; the others run what `export` writes.
        "onnx": ["onnx>=1.17,<2", "onnxruntime>=1.20,<2"],
        "serve": [
            "starlette>=0.45,<2",
            "uvicorn>=0.30,<1",
            # uvicorn uses these where they are installed; they are faster than what it has without them.
            "httptools>=0.6,<1",
            "uvloop>=0.21,<1; sys_platform != 'win32'",
        ],
        "litert": ["ai-edge-litert>=2,<3"],
        "dev": [
            "ai-edge-litert>=2,<3",
            "httptools>=0.6,<1",
            "hypothesis>=6.100,<7",
            # The notebooks in examples/ are run by a test.
            "ipykernel>=6.29,<8",
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.6,<10",
            "mkdocstrings-python>=2,<3",
            "mypy>=1.15,<2",
            "nbclient>=0.10,<1",
            "nbformat>=5.10,<6",
            "onnx>=1.17,<2",
            "onnxruntime>=1.20,<2",
            "openai>=2,<4",
            "pre-commit>=4,<5",
            "pytest>=8,<10",
            "pytest-timeout>=2.3,<3",
            "pytest-xdist>=3.6,<4",
            "ruff>=0.11,<1",
            "starlette>=0.45,<2",
            "tokenizers>=0.22,<0.24",
            "types-tqdm>=4.66,<5",
            "uvicorn>=0.30,<1",
            "uvloop>=0.21,<1; sys_platform != 'win32'",
        ],
    },
    entry_points={"console_scripts": ["textgen = textgen.cli:main"]},
)
