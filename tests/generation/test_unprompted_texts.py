import numpy as np

from textgen.config import EOS, GeneratedTextConfig, GenerationConfig
from textgen.generation.unprompted_texts import write_unprompted
from textgen.generation.writer import Continuation


class _Vocabulary:
    texts = ("[PAD]", "[UNK]", "[BOS]", "[EOS]", "a", "b")


class _Preprocessor:
    vocabulary = _Vocabulary()


class _Writer:
    """Writes the same two texts, and keeps how it was called."""

    preprocessor = _Preprocessor()

    def write_each(self, prompts: list[str], config: GenerationConfig, *, samples: int):
        self.called = (prompts, config, samples)
        for tokens, reason in ((("b", "a", "[EOS]"), "end"), (("[EOS]",), "end")):
            yield Continuation(
                prompt="", text="", tokens=tokens, log_probabilities=(0.0,) * len(tokens), reason=reason
            )


def test_texts_begin_and_end_as_documents_do():
    writer = _Writer()
    settings = GeneratedTextConfig(
        generation=True, generation_texts=2, generation_tokens=7, generation_temperature=0.5, generation_top_k=3,
        generation_top_p=0.9, generation_seed=4,
    )  # fmt: skip
    found = write_unprompted(writer, settings)  # type: ignore[arg-type]
    assert [text.tolist() for text in found] == [[EOS + 2, EOS + 1], []]
    assert all(text.dtype == np.int64 for text in found)
    config = GenerationConfig(tokens=7, temperature=(0.5,), top_k=3, top_p=0.9, seed=4, may_end=True)
    assert writer.called == ([""], config, 2)
