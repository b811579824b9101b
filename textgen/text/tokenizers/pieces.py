"""Text of wordpieces: a piece that continues a word starts with ##, and any other with a space."""

JOINER = "##"


def is_suffix(piece: str) -> bool:
    """Returns whether a piece continues a word; "##" alone is a word."""
    return piece.startswith(JOINER) and piece != JOINER


def piece_text(piece: str) -> str:
    """Returns the text of a piece: "##s" → "s", "whale" → " whale"."""
    return piece.removeprefix(JOINER) if is_suffix(piece) else f" {piece}"
