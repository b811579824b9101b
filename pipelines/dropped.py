"""The records of `dropped-*.jsonl` files: what was dropped, and for which reason."""

import json


def dropped_record(reason: str, content: bytes, path: str = "") -> str:
    r"""Returns a line of JSON for a dropped document or rejected item.

    Args:
        reason: why it was dropped.
        content: its bytes; invalid UTF-8 becomes U+FFFD.
        path: the input file; empty for a document, whose file is not known any more.

    >>> dropped_record("too short", b"Call")
    '{"reason": "too short", "text": "Call"}\n'
    """
    values = {"reason": reason, "text": content.decode(errors="replace")}
    return json.dumps({**values, "file": path} if path else values, ensure_ascii=False) + "\n"
