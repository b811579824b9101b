"""Formats the records of `dropped-*.jsonl` files: dropped documents and rejected items, each with its reason."""

import json


def dropped_record(reason: str, content: bytes, path: str = "") -> str:
    r"""Returns a line of JSON for a dropped document or rejected item.

    Args:
        reason: reason for which it was dropped or rejected.
        content: its bytes; invalid UTF-8 becomes U+FFFD.
        path: path of the input file; empty for a dropped document, whose file is no longer known.

    >>> dropped_record("too short", b"Call")
    '{"reason": "too short", "text": "Call"}\n'
    """
    values = {"reason": reason, "text": content.decode(errors="replace")}
    return json.dumps({**values, "file": path} if path else values, ensure_ascii=False) + "\n"
