"""What the files of a model folder say of its tokenizer, without loading it: whether it is there, what ends a text."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from core import bounded
from core.domain.errors import ModelRefused

_TAIL = 4096
_PAIRED = ("vocab.json", "merges.txt")
_SENTENCE = "tokenizer.model"


def check_tokenizer(path: Path) -> None:
    """Refuse a folder without a usable tokenizer.

    ``tokenizer.json`` alone, or ``vocab.json`` with ``merges.txt``, is enough; ``tokenizer.model`` alone is enough
    where the libraries that convert it are installed.

    Raises:
        ModelRefused: when the files are missing or cut short; the missing one is named.
    """
    whole = path / "tokenizer.json"
    if whole.is_file():
        if not _closed(whole):
            raise ModelRefused(
                f"tokenizer.json of {path.name} is damaged or cut short.",
                "Nothing was added or changed. Copy or download that file again.",
            )
        return
    found = [name for name in _PAIRED if (path / name).is_file()]
    if len(found) == len(_PAIRED) or ((path / _SENTENCE).is_file() and _reads_sentencepiece()):
        return
    raise ModelRefused(_missing(path, found), _hint(path))


def eos_ids(path: Path) -> tuple[int, ...]:
    """Return the ids of the tokens that end generation, as ``generation_config.json`` and ``config.json`` name them.

    Args:
        path: a model folder; a GGUF file has neither and gives none.

    Raises:
        BadInput: when one of the files is no JSON object.
    """
    found: list[int] = []
    for name in ("generation_config.json", "config.json"):
        if (Path(path) / name).is_file():
            value = bounded.read_object(Path(path) / name).get("eos_token_id")
            found += [i for i in (value if isinstance(value, list) else [value]) if type(i) is int]
    return tuple(dict.fromkeys(found))


def _missing(path: Path, found: list[str]) -> str:
    if found:
        lacks = next(name for name in _PAIRED if name not in found)
        return f"{path.name} holds {found[0]} but lacks {lacks}, so it has no tokenizer."
    if (path / _SENTENCE).is_file():
        return f"{path.name} lacks tokenizer.json; its {_SENTENCE} cannot be read on this machine."
    return f"{path.name} lacks tokenizer.json, so it has no tokenizer."


def _hint(path: Path) -> str:
    if (path / _SENTENCE).is_file():
        return "Save tokenizer.json beside it with transformers, or install sentencepiece and protobuf."
    return "Nothing was added or changed. Copy tokenizer.json and tokenizer_config.json from the model's origin."


def _reads_sentencepiece() -> bool:
    try:
        return find_spec("sentencepiece") is not None and find_spec("google.protobuf") is not None
    except ModuleNotFoundError:
        return False


def _closed(path: Path) -> bool:
    """Return whether the file starts and ends as a JSON object; only its first and last bytes are read."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        head = handle.read(_TAIL)
        handle.seek(max(0, size - _TAIL))
        tail = handle.read(_TAIL)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and tail.rstrip().endswith(b"}")
