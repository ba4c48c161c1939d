"""The Hugging Face hub: names, the hosts that may answer, sentences for its errors, the download of one file.

Nothing here is used before a person named a model or dataset and asked for it. The libraries of the hub are loaded in
a child process whose environment :func:`online` made; everywhere else they stay offline.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from core.domain.errors import BadInput, NotFound, UserError
from core.durable import clear_errors, file_sha256, move
from core.private_files import follow_folder

What = Literal["model", "dataset"]
DEFAULT_ENDPOINT = "https://huggingface.co"
TIMEOUT_S = 30.0
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_EXAMPLES = {"model": "Qwen/Qwen2.5-0.5B", "dataset": "trl-lib/ultrafeedback_binarized"}
_ALIASES = {"huggingface.co": "hf.co"}  # where the public hub keeps large files


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a dataset on the hub.

    Attributes:
        path: inside the dataset, parts divided by slashes.
        size: bytes.
        sha256: of the content; empty for a small file, which git keeps itself.
        git_sha1: git's hash of the content; of a large file it is the hash of a pointer, and not used.
        readable: the import reads this kind of file.
    """

    path: str
    size: int
    sha256: str = ""
    git_sha1: str = ""
    readable: bool = True


def check_repo(repo: str, what: What) -> str:
    """Return the name of a model or dataset.

    Raises:
        BadInput: when it is not of the form owner/name.
    """
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise BadInput(f"{repo!r} is no {what} name of the hub.", f"Name it as owner/name, such as {_EXAMPLES[what]}.")
    return repo


def endpoint() -> str:
    """Return the address of the hub, without a slash at its end; ``HF_ENDPOINT`` names another one."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or DEFAULT_ENDPOINT


def online(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child process that may use the network for one request."""
    kept = {key: value for key, value in environment.items() if key not in _OFFLINE}
    return {**kept, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def is_own_host(url: str, hub: str) -> bool:
    """Return whether an address belongs to the hub at ``hub``: its host and port, or a host below its domain.

    An address without encryption is the hub's only where the hub's own has none.

    >>> is_own_host("https://cdn-lfs.hf.co/a", "https://huggingface.co")
    True
    >>> is_own_host("https://huggingface.co.elsewhere.net/a", "https://huggingface.co")
    False
    """
    try:
        asked, own = urlsplit(url), urlsplit(hub)
        if asked.scheme != own.scheme or not own.hostname:
            return False
        if (asked.hostname, asked.port) == (own.hostname, own.port):
            return True
    except ValueError:
        return False
    domains = [own.hostname, *([_ALIASES[own.hostname]] if own.hostname in _ALIASES else [])]
    host = asked.hostname or ""
    return asked.port == own.port and any(host == domain or host.endswith(f".{domain}") for domain in domains)


def keep_to_own_hosts() -> None:
    """Let the hub's library of this process ask no other host than the hub's, redirects and further pages included."""
    from huggingface_hub import get_session, set_client_factory  # slow to import; only a child that fetches needs it

    client, hub = type(get_session()), endpoint()

    def check(request: Any) -> None:
        if not is_own_host(str(request.url), hub):
            raise UserError(
                f"{hub} sends this download on to {request.url.host}, another host; nothing was asked of it.",
                "Download the file by another program if you trust that host, and import the file.",
            )

    set_client_factory(
        lambda: client(event_hooks={"request": [check]}, follow_redirects=True, max_redirects=5, timeout=TIMEOUT_S)
    )


def fetch(url: str, file: HubFile, target: Path, on_bytes: Callable[[int], None]) -> None:
    """Download a file to ``target``; what an earlier try left is continued. The content is checked by its hash.

    Args:
        url: where it is.
        file: what the hub says about it; never more than its size is written.
        target: appears whole or not at all; its folder exists.
        on_bytes: gets the number of bytes that have arrived.

    Raises:
        UserError: when the download is cut, too, with what to do.
        BadInput: when another content arrives than the hub names; it is not kept.
        StorageFull: when there is no room.
    """
    part = target.with_name(f".{target.name}.part")
    have = part.stat().st_size if part.is_file() else 0
    if have > file.size:
        part.unlink()
        have = 0
    if have < file.size or not have:
        have = _receive(url, file, part, have, on_bytes)
    if have < file.size:
        raise cut(file, have)
    if not _is_whole(part, file):
        part.unlink()
        raise BadInput(
            f"What arrived as {file.path} is not what the hub says it holds; it was not kept.", "Download it again."
        )
    move(part, target)


def is_fetched(path: Path, file: HubFile) -> bool:
    """Return whether ``path`` holds the whole content of ``file``."""
    return path.is_file() and path.stat().st_size == file.size and _is_whole(path, file)


def cut(file: HubFile, have: int) -> UserError:
    """Return the sentence for a download that ended early."""
    return UserError(
        f"The download of {file.path} was cut off after {have:,} of {file.size:,} bytes. They are kept.",
        "Ask for the same download again: it goes on from there.",
    )


def _receive(url: str, file: HubFile, part: Path, have: int, on_bytes: Callable[[int], None]) -> int:
    """Write what the hub sends behind the first ``have`` bytes; return how many there are now."""
    from huggingface_hub import get_session, hf_raise_for_status  # slow to import; only a child that fetches needs it

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with get_session().stream("GET", url, headers=headers) as answer:
            hf_raise_for_status(answer)
            if have and answer.status_code != 206:  # the hub sends all of it again
                have = 0
            with clear_errors(part), part.open("ab" if have else "wb") as out:
                follow_folder(part)
                on_bytes(have)
                for piece in answer.iter_bytes():  # as they arrive: of a cut answer every byte is kept
                    if have + len(piece) > file.size:
                        raise BadInput(
                            f"The hub sends more for {file.path} than the {file.size:,} bytes it names; it was stopped."
                        )
                    out.write(piece)
                    have += len(piece)
                    on_bytes(have)
    except Exception as error:
        if have and _is_network(error):
            raise cut(file, have) from error
        raise
    return have


def _is_whole(path: Path, file: HubFile) -> bool:
    if file.sha256:
        return file_sha256(path) == file.sha256
    digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as handle:
        while piece := handle.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest() == file.git_sha1


def failure(repo: str, error: Exception, what: What, revision: str = "") -> UserError:
    """Return the sentence for an error of the hub's library while ``repo`` was looked up or fetched."""
    if isinstance(error, UserError):
        return error
    names, status = _names(error), getattr(getattr(error, "response", None), "status_code", 0)
    page = f"{endpoint()}/{'datasets/' if what == 'dataset' else ''}{repo}"
    by_hand = "Accept its terms there, download it with your own account by another program, and use the files."
    if "GatedRepoError" in names:
        return UserError(
            f"The {what} {repo} is gated: its owner gives it to those who accept terms on {page}.", by_hand
        )
    if "RevisionNotFoundError" in names:
        return NotFound(f"The {what} {repo} has no revision {revision!r}.", f"See {page}.")
    if "EntryNotFoundError" in names:
        return NotFound(f"The {what} {repo} no longer has this file.", "List its files again.")
    if "DisabledRepoError" in names:
        return UserError(f"The hub has closed the {what} {repo}.", f"See {page}.")
    if "RepositoryNotFoundError" in names or status in (401, 403, 404):
        return NotFound(
            f"There is no public {what} {repo} on {endpoint()}: the name is not right, or it is private.",
            "Check the name. Pairwright signs in nowhere; download a private one by another program.",
        )
    if status:
        return UserError(f"{endpoint()} answered with error {status}; {repo} was not fetched.", "Try again later.")
    if _is_network(error):
        return UserError(
            f"{endpoint()} cannot be reached ({type(error).__name__}); {repo} could not be fetched.",
            "Check the network, then ask for it again.",
        )
    return UserError(
        f"{repo} could not be fetched ({type(error).__name__}); what the hub answers is not understood.",
        "Check the name, and the address of the hub where HF_ENDPOINT is set.",
    )


def _is_network(error: Exception) -> bool:
    """Return whether a connection failed. The library's own errors are told by name: it changes its HTTP package."""
    known = {"TransportError", "OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError", "TimeoutError"}
    return bool(known & _names(error))


def _names(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}
