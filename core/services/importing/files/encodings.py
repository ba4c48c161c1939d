"""In which encoding a text file is saved. UTF-8 is read as it is; all else is turned into UTF-8 while it is read.

The whole file is looked at before the first row is stored, so that no half of a file comes in.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass, field

from core.domain.errors import BadInput
from core.services.importing.files.unpack import StreamDamaged

UTF8 = "utf-8"
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHUNK = 1 << 18
_HIGH = re.compile(rb"[\x80-\xff]")
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NAMES = {"cp1252": "Windows-1252", "latin-1": "Latin-1", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


def title_of(encoding: str) -> str:
    """Return an encoding's name for people; empty for UTF-8."""
    return "" if encoding == UTF8 else _NAMES.get(encoding, encoding.upper())


def of_head(head: bytes) -> str:
    """Return the encoding that a file's first bytes tell: by a byte order mark, or UTF-16 by where its zeros stand.

    >>> of_head("prompt".encode("utf-16-le"))
    'utf-16-le'
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    zeros = head.count(0)
    if zeros * 50 < len(head) or not zeros:
        return UTF8
    odd = head[1::2].count(0)
    for share, name in ((odd, "utf-16-le"), (zeros - odd, "utf-16-be")):
        if share * 10 >= zeros * 9 and _decodes(head, name):
            return name
    return UTF8


def checked(name: str) -> str:
    """Return the plain name of an encoding that the user chose.

    Raises:
        BadInput: when there is none of that name.
    """
    try:
        found = codecs.lookup(name)
        "a".encode(name)
    except (LookupError, UnicodeError, ValueError):
        raise BadInput(
            f"There is no text encoding {name!r}.", "Use for example utf-8, cp1252, latin-1, gb18030."
        ) from None
    return {"utf-16": "utf-16-le", "iso8859-1": "latin-1"}.get(found.name, found.name)


def _decodes(head: bytes, name: str) -> bool:
    try:
        text = head[: len(head) // 4 * 4].decode(name)
    except UnicodeDecodeError:
        return False
    return "\x00" not in text


@dataclass(slots=True)
class Utf8Scan:
    """Finds the lines of a text that are not UTF-8.

    Attributes:
        bad_lines: how many. first_line, first_byte, first_value: the first of them; bytes of the line count from 1.
        sequences: lines, or stretches of them, with characters of several bytes that are valid UTF-8.
        unknown_in_windows: there are bytes that Windows-1252 has no character for either.
        only_last: the only wrong bytes are the very last ones, as in a file that was cut off.
    """

    bad_lines: int = 0
    first_line: int = 0
    first_byte: int = 0
    first_value: int = 0
    sequences: int = 0
    unknown_in_windows: bool = False
    only_last: bool = False
    _lines: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def run(self, stream: io.BufferedReader) -> None:
        """Read the stream to its end; damaged packed content ends it quietly, as the reading of rows tells it."""
        try:
            while chunk := stream.read1(_CHUNK):
                self._take(chunk)
        except StreamDamaged:
            pass
        if self._rest:
            self._check(self._rest, last=True)

    def _take(self, chunk: bytes) -> None:
        data = self._rest + chunk if self._rest else chunk
        if data.isascii():
            self._lines += data.count(b"\n")
            self._rest = b""
            return
        end = data.rfind(b"\n") + 1 or (len(data) if len(data) > 4 * _CHUNK else 0)
        self._rest = data[end:]
        if end:
            self._check(data[:end], last=False)

    def _check(self, data: bytes, *, last: bool) -> None:
        try:
            text = data.decode(UTF8)
        except UnicodeDecodeError as error:
            if last and error.end == len(data) and error.reason == "unexpected end of data" and not self.bad_lines:
                self.only_last = True
                return
            self._count(data)
        else:
            self.sequences += len(text) != len(data)
        self._lines += data.count(b"\n")

    def _count(self, data: bytes) -> None:
        for number, line in enumerate(data.split(b"\n"), self._lines + 1):
            if line.isascii():
                continue
            blank = _SEQUENCE.sub(lambda match: b" " * len(match.group()), line)
            self.sequences += blank != line
            high = _HIGH.search(blank)
            if high is None:
                continue
            self.bad_lines += 1
            self.unknown_in_windows = self.unknown_in_windows or bool(re.search(rb"[\x81\x8d\x8f\x90\x9d]", blank))
            if self.bad_lines == 1:
                self.first_line, self.first_byte, self.first_value = number, high.start() + 1, high.group()[0]

    @property
    def is_other_encoding(self) -> bool:
        """The file as a whole is not UTF-8: hardly any of its characters is."""
        return self.bad_lines > 0 and self.sequences * 10 <= self.bad_lines

    def refusal(self, name: str) -> BadInput:
        """Return the sentence that names the first wrong byte and offers encodings."""
        wrong = bytes([self.first_value])
        shown = wrong.decode("cp1252", errors="replace")
        like = "" if self.unknown_in_windows or shown == "\ufffd" else f" In Windows-1252 that byte is {shown!r}."
        first = "" if self.unknown_in_windows else "--encoding cp1252 reads it as Windows-1252; "
        count = "1 line is" if self.bad_lines == 1 else f"{self.bad_lines:,} lines are"
        return BadInput(
            f"{name} is not saved as UTF-8: byte {self.first_byte} of line {self.first_line} is "
            f"0x{self.first_value:02X}, and {count} affected.{like} Nothing was imported.",
            f"Choose the encoding: {first}--encoding utf-8 leaves out the lines that are not UTF-8; for other scripts "
            "cp1251 (Cyrillic), cp1250 (Central Europe), shift_jis or gb18030; --dry-run shows the text. "
            "Or save the file as UTF-8.",
        )


class Transcoder(io.RawIOBase):
    """Turns a stream of another encoding into UTF-8. Bytes that have no character there come out as they are, which no
    reader of UTF-8 takes for text."""

    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        super().__init__()
        self._stream, self._encoding = stream, encoding
        wide = encoding.startswith("utf-")
        self._errors = "surrogatepass" if wide else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(self._errors)
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill ``buffer``; see :class:`io.RawIOBase`."""
        while not self._ready and not self._ended:
            chunk = self._stream.read1(_CHUNK)
            self._ended = not chunk
            self._ready = self._decode(chunk)
        piece, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _decode(self, chunk: bytes) -> bytes:
        try:
            text = self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError:  # half of a character at the end, or bytes that are no text in this encoding
            self._decoder.reset()
            return chunk.decode(self._encoding, errors="replace").encode() if chunk else b"\xff"
        return text.encode(UTF8, errors=self._errors)
