"""Files that are no preference data, told by their first bytes, with what to do about each."""

from __future__ import annotations

import json
import re

from core.domain.errors import BadInput

_CONVERT = "Convert it to JSON Lines, CSV or Parquet first."
_NO_TEXT = "It holds no texts to label."
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
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
    (b"%PDF", "a PDF document", _CONVERT),
    (b"\x89PNG", "a picture", _NO_TEXT),
    (b"\xff\xd8\xff", "a picture", _NO_TEXT),
    (b"GIF8", "a picture", _NO_TEXT),
    (b"GGUF", "a model file (GGUF)", "It holds weights, not data; choose it as the model of a run."),
    (b"FEA1", "a Feather file", "Convert it to Parquet first."),
    (b"\x89HDF\r\n", "an HDF5 file", _CONVERT),
    (b"\x04\x22\x4d\x18", "a file packed with LZ4", "Unpack it first; gzip, bzip2, xz and zstandard are read packed."),
    (b"\xff\x06\x00\x00sNaPpY", "a file packed with Snappy", "Unpack it first."),
    (b"\x1f\x9d", "a file packed with compress", "Unpack it first."),
    (b"RDX2\n", "a file of R", _CONVERT),
    (b"RDX3\n", "a file of R", _CONVERT),
    (b"<stata_dta>", "a Stata file", _CONVERT),
    (b"$FL2", "an SPSS file", _CONVERT),
    (b"{\\rtf", "a document of a text processor (RTF)", _CONVERT),
)
_ZIP = b"PK\x03\x04"
_ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"xl/", "an Excel workbook", "Save the sheet as CSV."),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", "Save the sheet as CSV."),
    (b"word/", "a Word document", "Copy its table to a spreadsheet, and save that as CSV."),
    (b"opendocument.text", "an OpenDocument text", "Copy its table to a spreadsheet, and save that as CSV."),
    (b"/data.pkl", "a PyTorch checkpoint", "It holds weights, not data."),
    (b".npy", "a NumPy archive", _CONVERT),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_SAFETENSORS = re.compile(rb"[\x00-\xff]{4}\0{4}\{")
_ERROR_KEYS = frozenset(("error", "errors", "detail", "message", "error_description", "exception"))
_ERROR_ASIDES = frozenset((
     "status", "code", "status_code", "statuscode", "type", "title", "instance", "success", "ok", "path",
     "timestamp", "trace", "traceback", "request_id", "requestid", "documentation_url", "cause_exception",
     "cause_message", "cause_traceback", "estimated_time", "retry_after", "param", "reason", "hint", "help",
     "error_code", "errorcode", "name", "url", "method", "data",
))  # fmt: skip
_ERROR_LINE = re.compile(
    rb"(?:<Error>|(?:(?:HTTP/\d\S* |Error )?[45]\d\d[ :.-]+)?(?:Entry not found|Not Found\b|Repository not found|"
    rb"Forbidden\b|Unauthorized\b|Bad Request|Bad Gateway|Service Unavailable|Internal Server Error|Too Many Requests|"
    rb"Gateway Time-?out|Client Error|Server Error|Rate limit|Access to |Access denied|"
    rb"Invalid (?:username|credentials|token)))",
    re.IGNORECASE,
)
_ERROR_SIZE, _FEW_LINES = 2048, 3
_SHOWN = 200
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
    what, hint = _kind_of(head)
    if what:
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


def _kind_of(head: bytes) -> tuple[str, str]:
    """Return what a file of another kind is and what to do about it; two empty texts for what may be data."""
    if head.startswith(_ZIP):
        return _zip_kind(head)
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            return what, hint
    if _PICKLE.match(head):
        return "a Python pickle", "A pickle could run any program. Write it as JSON Lines."
    if _SAFETENSORS.match(head):
        return "a model file (safetensors)", "It holds weights, not data; choose its folder as the model of a run."
    return "", ""


def _zip_kind(head: bytes) -> tuple[str, str]:
    for sign, what, hint in _ZIPPED:
        if sign in head:
            return what, hint
    if len(head) > 6 and head[6] & 1:
        return "a zip archive with a password", "Unpack it with its password first, and import the files inside."
    return "a zip archive", "Unpack it first, and import the files inside."


def refuse_error_message(name: str, text: bytes) -> None:
    """Refuse the answer of a server that had no file to give: one JSON object, or a line, that tells of an error.

    Raises:
        BadInput: with the server's own words.
    """
    if not text.startswith(b"{"):
        if len(text) <= _ERROR_SIZE and _ERROR_LINE.match(text) and text.strip().count(b"\n") < _FEW_LINES:
            raise _server_error(name, text.decode("utf-8", errors="replace").strip()[:_SHOWN])
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict):
        return
    keys = {str(key).lower() for key in found}
    if not keys & _ERROR_KEYS or not keys <= _ERROR_KEYS | _ERROR_ASIDES or isinstance(found.get("data"), list):
        return
    told = next(
        (words for key, value in found.items() if str(key).lower() in _ERROR_KEYS and (words := _words(value))), ""
    )
    raise _server_error(name, told)


def _server_error(name: str, told: str) -> BadInput:
    said = f': "{told.rstrip(".")}"' if told else ""
    return BadInput(
        f"{name} is the error message of a server and no data{said}.",
        "Download the file again; it may need a login, another address, or more time.",
    )


def _words(value: object) -> str:
    """Return the text of an error message, from inside objects and lists too."""
    if isinstance(value, str):
        return value[:_SHOWN]
    if isinstance(value, dict):
        inside = [value[key] for key in ("message", "detail", "error", "msg", "description") if key in value]
        return next((words for part in (*inside, *value.values()) if (words := _words(part))), "")
    if isinstance(value, list):
        return next((words for part in value if (words := _words(part))), "")
    return ""


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
