"""Makes the engine of a model, and traces its graphs before the first request."""

import queue
from pathlib import Path

import tensorflow as tf

from textgen.config import GenerationConfig
from textgen.generation.controls import ALL_KINDS, NO_KINDS
from textgen.generation.generator import Generator
from textgen.generation.scoring import Scorer
from textgen.model.language_model import LanguageModel
from textgen.serving.completions import ServedModel
from textgen.serving.engine import Engine
from textgen.serving.queued_text import EngineError, Piece, QueuedText
from textgen.text.preprocessor import Preprocessor


def served_model(
    name: str, path: Path, model: LanguageModel, preprocessor: Preprocessor, *, boundaries: bool, max_waiting: int
) -> ServedModel:
    """Returns a model with its engine, warm: its graphs are traced.

    Args:
        name: id of the model.
        path: folder of the run.
        model: the network.
        preprocessor: encodes prompts and decodes ids.
        boundaries: whether the documents of the training data begin with [BOS].
        max_waiting: maximum number of texts that wait.
    """
    generators = [
        Generator(model, preprocessor, boundaries=boundaries, kinds=kinds) for kinds in (NO_KINDS, ALL_KINDS)
    ]
    scorer = Scorer(model, preprocessor, boundaries=boundaries)
    engine = Engine(generators, scorer, preprocessor, max_waiting=max_waiting)
    size = preprocessor.vocabulary.size
    alone = preprocessor.decode(tf.RaggedTensor.from_row_splits(tf.range(size), tf.range(size + 1))).numpy().tolist()
    reserved = [text.encode() for text in preprocessor.vocabulary.texts[:4]]
    _warm(engine)
    return ServedModel(
        name=name,
        path=path,
        engine=engine,
        preprocessor=preprocessor,
        token_texts=(*reserved, *alone[4:]),
        boundaries=boundaries,
        created=int(path.stat().st_mtime),
    )


def _warm(engine: Engine) -> None:
    """Runs each graph once, since the first call takes seconds."""
    for config in (GenerationConfig(tokens=40), GenerationConfig(tokens=4, top_k=1)):
        for top in (None, 1):
            _run(engine, config, top=top, by_pieces=True)
    _run(engine, GenerationConfig(), top=1, scored=True)


def _run(
    engine: Engine, config: GenerationConfig, *, top: int | None, by_pieces: bool = False, scored: bool = False
) -> None:
    """Has a text written or scored, and waits for its end."""
    pieces: queue.Queue[Piece | Exception] = queue.Queue()
    text = QueuedText(
        prompt=b"a", prompt_ids=None, config=config, sample=0, top=top, by_pieces=by_pieces, scored=scored,
        deliver=pieces.put,
    )  # fmt: skip
    engine.submit([text])
    while True:
        piece = pieces.get()
        if isinstance(piece, Exception):
            raise piece.cause if isinstance(piece, EngineError) else piece
        if piece.reason:
            return
