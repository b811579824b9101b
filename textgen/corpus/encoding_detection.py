"""Detects the encoding of a text by its first bytes: byte order marks, NULs, invalid sequences, frequent letters."""

import operator
import re
from collections.abc import Mapping
from typing import NamedTuple

import charset_normalizer

_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_WIDE = (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2))
_MAX_STRANGE = 0.01

_ESCAPES = (
    (re.compile(rb"\x1b\$[@B]|\x1b\$\(D|\x1b\([IJ]"), "iso2022_jp"),
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
)

_LEGACY = (
    "cp1252", "cp1250", "cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "cp1253", "iso8859_7", "cp1254", "cp1255",
    "iso8859_8", "cp1256", "iso8859_6", "cp1257", "iso8859_2", "cp874", "cp932", "euc_jp", "gb18030", "big5",
    "euc_kr", "cp949", "mac_roman", "cp850", "cp852", "cp437", "mac_cyrillic",
)  # fmt: skip
"""Encodings of files that are met; of equally likely ones, the first is taken."""

_NAMES: Mapping[str, str] = {
    "cp932": "shift_jis", "koi8_r": "koi8-r", "koi8_u": "koi8-u", "iso8859_2": "iso8859-2",
    "iso8859_5": "iso8859-5", "iso8859_6": "iso8859-6", "iso8859_7": "iso8859-7", "iso8859_8": "iso8859-8",
}  # fmt: skip
"""Names by which users know encodings, where they differ from those of charset-normalizer."""

_SAMPLE_BYTES = 1 << 14
_NEAR = 0.02
_MANY_CAPITALS = 0.7
_MANY_KANA = 0.3
_IN_WORDS = frozenset("\u2019\u2018\u2013\u2014\u2026\u00b7\u00ad\u00b4\u02bc\u201c\u201d")
"""Marks other than letters that may stand between two letters."""

_NOT_AFTER_LETTERS = frozenset(
    "\u00b9\u00b3\u00bc\u00bd\u00be\u00bf\u00a1\u00b6\u00b1\u00d7\u00ac\u00af\u00b8\u00a4\u00a6"
)

_PENALTIES: Mapping[str, float] = {"cp949": 0.03}
"""Encodings in which nearly any bytes of another East Asian encoding are valid."""

_HEBREW_LETTERS = bytes(range(0xE0, 0xFB))
_MANY_LETTERS = 30
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_NOT_ASCII = re.compile(r"[^\0-\x7f]+")


class Invalid(NamedTuple):
    """Result of decoding a text.

    Attributes:
        replaced: number of characters that stand for invalid bytes.
        characters: number of all characters.
    """

    replaced: int
    characters: int

    @property
    def share(self) -> float:
        """Share of the characters that stand for invalid bytes."""
        return self.replaced / max(1, self.characters)


def encoding_of_mark(head: bytes) -> str:
    r"""Returns the encoding that a byte order mark at the start of a file names, or "" without one.

    >>> encoding_of_mark("text".encode("utf-16")), encoding_of_mark(b"\xef\xbb\xbftext"), encoding_of_mark(b"text")
    ('utf-16', 'utf-8', '')
    """
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "")


def wide_encoding(head: bytes) -> str:
    r"""Returns the encoding of UTF-16 or UTF-32 text without a byte order mark, or "" for other bytes.

    >>> wide_encoding("text".encode("utf-16-le")), wide_encoding(b"text")
    ('utf-16-le', '')
    """
    if b"\0" not in head:
        return ""
    if not head.translate(None, _ASCII_WITH_NUL):
        return _wide_ascii(head)
    found = [(_strange(head, encoding, width), i, encoding) for i, (encoding, width) in enumerate(_WIDE)]
    strange, _, encoding = min(found)
    return encoding if strange <= _MAX_STRANGE else ""


def escape_encoding(head: bytes) -> str:
    r"""Returns the encoding that writes its characters as ASCII bytes after escape sequences, or "".

    >>> escape_encoding("日本".encode("iso2022_jp")), escape_encoding(b"\x1b[1mbold\x1b[0m")
    ('iso2022_jp', '')
    """
    for pattern, encoding in _ESCAPES:
        if pattern.search(head) and _decodes(head, encoding):
            return encoding
    return ""


def invalid_bytes(head: bytes, encoding: str, *, is_whole: bool = True) -> Invalid:
    r"""Counts the invalid sequences of a text.

    Args:
        head: the text, or its start.
        encoding: encoding in which it is read.
        is_whole: whether `head` is the whole text; otherwise a character that is cut at its end is not counted.

    >>> invalid_bytes(b"caf\xe9", "utf-8")
    Invalid(replaced=1, characters=4)
    """
    text = head.decode(encoding, "replace")
    replaced = text.count("\ufffd") - (head.count(b"\xef\xbf\xbd") if encoding == "utf-8" else 0)
    if not is_whole and text.endswith("\ufffd"):
        replaced -= 1
    return Invalid(max(0, replaced), len(text))


def likely_encoding(head: bytes) -> str:
    """Returns the most likely legacy encoding of bytes that are not UTF-8, or "" if none fits.

    The result depends on the bytes alone.
    """
    found = wide_encoding(head) or escape_encoding(head)
    if found:
        return found
    sample = _sample(head)
    if not sample:
        return ""
    # Syllabaries are a surer sign than frequencies.
    for encoding in ("cp932", "euc_jp"):
        if _decodes(sample, encoding) and _is_japanese(sample.decode(encoding, "replace")):
            return _NAMES.get(encoding, encoding)
    if _is_hebrew(sample):
        return "cp1255"
    candidates = list[tuple[str, float, float]]()
    matches = charset_normalizer.from_bytes(sample, cp_isolation=list(_LEGACY))
    for match in matches:
        encodings = [encoding for encoding in _LEGACY if encoding in match.could_be_from_charset]
        if encodings:
            text = sample.decode(encodings[0], "replace")
            strange = match.chaos + _strange_share(text) + _PENALTIES.get(encodings[0], 0.0)
            candidates.append((encodings[0], strange, round(match.coherence, 2)))
    least = min((strange for _, strange, _ in candidates), default=0.0)
    near = [(encoding, coherence) for encoding, strange, coherence in candidates if strange <= least + _NEAR]
    near.sort(key=lambda candidate: _LEGACY.index(candidate[0]))
    best = max(near, key=operator.itemgetter(1), default=("", 0))[0]
    return _NAMES.get(best, best)


OR_AUTO = ", or --encoding auto, which detects it by file"
"""End of the remedy, for files whose encoding is given."""


def encoding_remedy(head: bytes) -> str:
    r"""Returns a sentence that names the likely encoding of text that is not UTF-8, and the option for it.

    >>> encoding_remedy("naïve café".encode("cp1252"))
    'It is probably cp1252: use --encoding cp1252, or --encoding auto, which detects it by file.'
    """
    encoding = likely_encoding(head)
    if not encoding:
        return "Give its encoding with --encoding, as in --encoding cp1252."
    return f"It is probably {encoding}: use --encoding {encoding}{OR_AUTO}."


def is_decoded_twice(head: bytes) -> bool:
    """Returns whether UTF-8 text seems to have been decoded in a legacy encoding and encoded again ("cafÃ©").

    >>> is_decoded_twice("cafÃ© Ã la crÃ¨me".encode()), is_decoded_twice("café".encode())
    (True, False)
    """
    runs = _NOT_ASCII.findall(head.decode(errors="ignore"))
    twice = sum(_is_utf8_of_cp1252(run) for run in runs)
    return twice > 1 and 2 * twice > len(runs)


_ASCII_WITH_NUL = b"\0\t\n\v\f\r" + bytes(range(32, 127))


def _is_utf8_of_cp1252(text: str) -> bool:
    """Returns whether the characters of a text, written as cp1252, are UTF-8."""
    try:
        # The control characters of Latin-1 stand for the bytes that cp1252 does not define.
        raw = b"".join(c.encode("latin-1" if "\x80" <= c <= "\x9f" else "cp1252") for c in text)
        raw.decode()
    except UnicodeError:
        return False
    return True


def _wide_ascii(head: bytes) -> str:
    """Returns the encoding of ASCII text in UTF-16 or UTF-32, by the places of its NULs, or ""."""
    for encoding, width in _WIDE:
        if len(head) % width:
            continue
        place = 0 if encoding.endswith("le") else width - 1
        letters = head[place::width]
        if b"\0" not in letters and len(head) - len(letters) == head.count(b"\0"):
            return encoding
    return ""


def _strange(head: bytes, encoding: str, width: int) -> float:
    """Returns the share of characters that no text has, if bytes are decoded in UTF-16 or UTF-32."""
    if len(head) % width:
        return 1.0
    text = head.decode(encoding, "replace")
    strange = sum(not (character.isprintable() or character in "\t\n\v\f\r\u3000\ufeff") for character in text)
    # A pair of surrogates may be cut at the end of the head.
    is_cut = width == 2 and len(text) > 1 and text.endswith("\ufffd")  # noqa: PLR2004 - UTF-16 has 2 bytes.
    return (strange + text.count("\ufffd") - is_cut) / max(1, len(text))


def _decodes(head: bytes, encoding: str) -> bool:
    return invalid_bytes(head, encoding).share < _MAX_STRANGE


def _sample(head: bytes) -> bytes:
    """Returns the lines that hold bytes outside ASCII, up to a size, for which detection takes no long time."""
    lines, size = [], 0
    for line in re.split(rb"(?<=[\r\n])", head):
        if not line.isascii():
            lines.append(line[:_SAMPLE_BYTES])
            size += len(lines[-1])
        if size >= _SAMPLE_BYTES:
            break
    return b"".join(lines)


def _is_japanese(text: str) -> bool:
    """Returns whether a good part of the characters outside ASCII are hiragana or katakana of full width."""
    outside = sum(not character.isascii() for character in text)
    return sum("\u3041" <= character <= "\u30fe" for character in text) > _MANY_KANA * outside


def _is_hebrew(sample: bytes) -> bool:
    """Returns whether the bytes outside ASCII are whole words of the 27 letters of Hebrew in cp1255 and ISO 8859-8.

    Russian words in cp1251 have the same bytes, but among so many of them also capitals and the five last letters.
    """
    words = _HIGH_BYTES.findall(sample)
    letters = sum(map(len, words))
    hebrew = sum(len(word) for word in words if not word.translate(None, _HEBREW_LETTERS))
    return letters >= _MANY_LETTERS and letters > 2 * len(words) and hebrew >= 0.98 * letters  # noqa: PLR2004


def _strange_share(text: str) -> float:
    """Returns the share of the characters outside ASCII that no word has at their place: `caf‚s`, `didnÕt`."""
    text = f" {text} "
    outside = [i for i, character in enumerate(text) if not character.isascii()]
    strange = sum(_is_strange(text[i - 1], text[i], text[i + 1]) for i in outside)
    # Hebrew read as KOI8-R is all capitals.
    capitals = sum(text[i].isupper() for i in outside)
    return strange / max(1, len(outside)) + (2 * _NEAR if capitals > _MANY_CAPITALS * len(outside) else 0)


def _is_strange(before: str, character: str, after: str) -> bool:
    if not before.isalpha():
        return False
    return (
        (character.isupper() and before.islower())
        or character in _NOT_AFTER_LETTERS
        or (after.isalpha() and not character.isalpha() and character not in _IN_WORDS)
        # A letter of another script directly after a Latin one.
        or (before.isascii() and character.isalpha() and character > "\u024f")
    )
