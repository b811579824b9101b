from pathlib import Path

from pipelines.estimation import estimate
from pipelines.prepare import prepare
from textgen.config import PrepareConfig, TextConfig


def lines(path: Path, texts: list[str]) -> str:
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return str(path)


def test_a_sample_and_the_dataset_give_the_same_warnings(tmp_path: Path) -> None:
    # The hash of "no." puts its 400 documents into one split.
    words = [f"word{i} word{i % 50} the sea" for i in range(600)]
    path = lines(tmp_path / "a.txt", ["No."] * 400 + words)
    given = lines(tmp_path / "words.txt", ["the", "Sea", "no", ".", *(f"word{i}" for i in range(40))])
    config = PrepareConfig(text=TextConfig(), format="lines", layout="spans")
    found = estimate([path], config, vocabulary=given)
    made = prepare([path], str(tmp_path / "out"), config, vocabulary=given)
    for warnings in (found.warnings, made.warnings):
        unknown, *shares, unused = warnings
        assert "of the train split's tokens are unknown; without --vocabulary, --vocabulary-size" in unknown
        assert all("since 400 equal documents belong to one split" in share for share in shares)
        assert unused.startswith("1 of the 44 tokens of the given vocabulary never occur in the training text")
    assert len(made.warnings) == len(found.warnings)


def test_a_sample_without_spaces_is_told(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.txt", [f"เรือออกจากท่าตอนเช้า{chr(0x0E01 + i)}" for i in range(40)])
    (warning,) = estimate([path], PrepareConfig(text=TextConfig(), format="lines")).warnings
    assert warning.startswith("a document has 1.0 tokens on average")
