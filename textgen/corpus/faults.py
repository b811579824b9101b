"""What other libraries say went wrong, told within our own errors."""


def told(error: BaseException) -> str:
    """An exception's message as part of a sentence.

    >>> told(OSError("Corrupt data.\\n  at byte 4.\\n"))
    'Corrupt data. at byte 4'
    """
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
