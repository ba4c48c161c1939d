"""Files that are no preference data, told by their first bytes, with what to do about each."""

from __future__ import annotations

import re

from core.domain.errors import BadInput

_CONVERT = "Convert it to JSON Lines, CSV or Parquet first."
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "Save the sheet as CSV."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"PARE", "an encrypted Parquet file", "Decrypt it with its keys first."),
    (b"SQLite format 3", "a SQLite database", _CONVERT),
    (b"ARROW1", "an Arrow file", "Convert it to Parquet first."),
    (b"\xff\xff\xff\xff", "an Arrow stream", "Convert it to Parquet first."),
    (b"ORC", "an ORC file", "Convert it to Parquet first."),
    (b"Obj\x01", "an Avro file", "Convert it to Parquet first."),
    (b"\x93NUMPY", "a NumPy array", _CONVERT),
    (
        b"\x80\x04\x95",
        "a Python pickle",
        "A pickle could run any program. Write it as JSON Lines.",
    ),
    (b"%PDF", "a PDF document", _CONVERT),
    (b"\x89PNG", "a picture", _CONVERT),
)
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"\s*<\?xml\b", re.IGNORECASE)
_YAML = re.compile(rb"\s*(?:---\s*\n\s*)?- +[\w-]+:(?: |\r?\n)")
_MARKDOWN_TABLE = re.compile(rb"\s*\|[^\n]*\|[ \t\r]*\n[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t\r]*(?:\n|$)")
_LFS_SIZE = re.compile(rb"^size (\d+)", re.MULTILINE)


def refuse_foreign(name: str, head: bytes) -> None:
    """Refuse a file of another kind by its name.

    Raises:
        BadInput: naming what the file is.
    """
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        size = _LFS_SIZE.search(head)
        what = f", which has {int(size.group(1)[:15]):,} bytes" if size else ""
        raise BadInput(
            f"{name} is a Git LFS pointer: it stands for the data{what}, and the data was not downloaded.",
            "Run `git lfs pull` in that folder, or download the file itself.",
        )
    if head.startswith((b"/annex/objects/", b".git/annex/objects/")):
        raise BadInput(f"{name} is a git-annex pointer; the data was not downloaded.", "Run `git annex get` on it.")
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            raise BadInput(f"{name} is {what}, which is not read here.", hint)
    if head[257:262] == b"ustar":
        raise BadInput(f"{name} is a tar archive, which is not read here.", "Unpack it first.")
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(text):
        raise BadInput(
            f"{name} is an HTML page, not data; the download saved a page of the web site in place of the file.",
            "Open the page in a browser: it may ask for a login, or show the link to the file itself.",
        )
    if _YAML.match(text):
        raise BadInput(f"{name} is a YAML document, which is not read here.", _CONVERT)
    if _MARKDOWN_TABLE.match(text):
        raise BadInput(f"{name} is a Markdown table, which is not read here.", "Save it as CSV.")
    if _XML.match(text):
        raise BadInput(f"{name} is an XML document, which is not read here.", _CONVERT)


def refuse_binary(name: str, head: bytes) -> None:
    """Refuse a file with many bytes that no text has; zeros in one place cost a row, not the file.

    Zeros at the end are what a file system leaves of an end that was never written; the rows before them are read.

    Raises:
        BadInput: when it is no text.
    """
    part = re.sub(rb"\0+", b"\0", head[:4096].rstrip(b"\0"))
    if head and not part:
        raise BadInput(
            f"{name} begins with zero bytes only: its content was never written.", "Copy or download the file again."
        )
    odd = sum(part.count(bytes([value])) for value in (*range(9), *range(14, 32), 127) if value != 27)
    if odd * 10 > len(part):
        raise BadInput(f"{name} is not a text file.", "Import JSON Lines, JSON, CSV or Parquet.")
