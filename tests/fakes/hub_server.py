"""A small hub on the loopback: dataset info, tree, and files with ranges, as the Hugging Face hub answers them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "ann/prefs"


@dataclass
class FakeHub:
    """One dataset; what the tests change is how it answers.

    ``large`` files carry a sha256; ``cut_after`` ends an answer early; ``refuse`` is (status, error code) for all
    requests; ``listed_size`` names another size than a file has; ``redirect`` sends downloads elsewhere.
    """

    files: dict[str, bytes]
    card: dict[str, Any] | None = None
    gated: bool = False
    large: bool = True
    cut_after: int | None = None
    refuse: tuple[int, str] | None = None
    refuse_files: tuple[int, str] | None = None
    listed_size: int | None = None
    redirect: str = ""
    ignores_ranges: bool = False
    swapped: bytes | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def info(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"id": REPO, "sha": COMMIT, "gated": self.gated, "tags": [], "siblings": []}
        return plain | ({"cardData": self.card} if self.card else {})

    def tree(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = [{"type": "directory", "path": "data", "oid": "0" * 40, "size": 0}]
        for path, content in self.files.items():
            size = len(content) if self.listed_size is None else self.listed_size
            sha1 = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry: dict[str, Any] = {"type": "file", "path": path, "oid": sha1, "size": size}
            if self.large:
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": sha256, "size": size, "pointerSize": 130}
            entries.append(entry)
        return entries


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((path, self.headers.get("Range", "")))
            assert "Authorization" not in self.headers
            if hub.refuse:
                return self.fail(*hub.refuse)
            api = f"/api/datasets/{REPO}"
            if path.startswith(f"{api}/revision/"):
                known = path.rsplit("/", 1)[1] in ("main", COMMIT)
                return self.json(hub.info()) if known else self.fail(404, "RevisionNotFound")
            if path == f"{api}/tree/{COMMIT}":
                return self.json(hub.tree())
            prefix = f"/datasets/{REPO}/resolve/{COMMIT}/"
            if path.startswith(prefix) and path.removeprefix(prefix) in hub.files:
                return self.file(hub.files[path.removeprefix(prefix)])
            return self.fail(404 if path.startswith(prefix) else 401, "RepoNotFound")

        def json(self, value: object) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def fail(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def file(self, content: bytes) -> None:
            if hub.refuse_files:
                return self.fail(*hub.refuse_files)
            if hub.redirect:
                self.send_response(302)
                self.send_header("Location", hub.redirect)
                self.send_header("Content-Length", "0")
                return self.end_headers()
            content = content if hub.swapped is None else hub.swapped
            wanted = self.headers.get("Range", "")
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and not hub.ignores_ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content) if hub.cut_after is None else start + hub.cut_after
            self.wfile.write(content[start:end])

    return Handler


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve ``hub`` on a free port of the loopback; its address is set."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
