"""Child program: hold the models of a talk and answer request after request, token by token. It needs torch.

It reads one JSON object a line: first the opening (``arms``, ``device``, ``threads``), then requests with ``id`` and
``op``. It answers with JSON lines, each flushed: ``{"loading": [done, total, text]}``, ``{"id": n, "token": [...]}``,
and at the end of a request ``{"id": n, "result": ...}`` or ``{"id": n, "error": ..., "hint": ..., "kind": ...}``.
``{"op": "stop", "id": n}`` ends request n and all before it at once. The end of its input ends it.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple
from typing import Any, TextIO

from core.domain.conversation import Prompt
from core.domain.errors import UserError
from core.domain.evaluation_record import Arm
from core.domain.talk import TalkSettings
from core.model_files.offline import go_offline
from core.runs.event_lines import finite
from core.runs.priority import lower_priority
from core.runs.talks.talk_models import TalkModels

Say = Callable[[dict[str, Any]], None]


class TalkRequests:
    """The lines of the input, read by a thread of its own, so that a request can be stopped while it is answered."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stopped = 0

    def read(self) -> None:
        """Read to the end; the reader's end stops every request."""
        for line in self._lines:
            message = json.loads(line)
            if message.get("op") == "stop":
                self._stopped = max(self._stopped, int(message["id"]))
            else:
                self._waiting.put(message)
        self._stopped = sys.maxsize
        self._waiting.put(None)

    def next(self) -> dict[str, Any] | None:
        """Wait for the next request; None at the end."""
        return self._waiting.get()

    def is_stopped(self, number: int) -> bool:
        """Return whether request ``number`` is no longer wanted."""
        return number <= self._stopped


def serve_talk(lines: Iterable[str], out: TextIO) -> int:
    """Serve one talk until the input ends; return the exit code."""
    inbox, lock = TalkRequests(lines), threading.Lock()

    def say(message: dict[str, Any]) -> None:
        text = json.dumps(finite(message), allow_nan=False)
        with lock:
            print(text, file=out, flush=True)

    threading.Thread(target=inbox.read, daemon=True).start()
    opening = inbox.next()
    if opening is None:
        return 0
    try:
        models = TalkModels(
            [Arm(**arm) for arm in opening["arms"]],
            device=opening["device"],
            threads=opening["threads"],
            on_progress=lambda done, total, text: say({"loading": [done, total, text]}),
        )
    except UserError as error:
        say(_told(error))
        return error.exit_code
    say({"ready": models.notes()})
    while (request := inbox.next()) is not None:
        number = int(request["id"])
        try:
            say({"id": number, "result": _handled(models, request, inbox, say)})
        except UserError as error:
            say({"id": number, **_told(error)})
    models.close()
    return 0


def _told(error: UserError) -> dict[str, Any]:
    return {"error": error.message, "hint": error.hint, "kind": type(error).__name__}


def _handled(models: TalkModels, request: dict[str, Any], inbox: TalkRequests, say: Say) -> Any:
    number, settings = int(request["id"]), TalkSettings(**request["settings"])
    prompts = {arm: Prompt.from_plain(turns) for arm, turns in request["prompts"].items()}
    if request["op"] == "answer":
        replies = models.answer(
            prompts,
            settings,
            on_token=lambda token: say({"id": number, "token": astuple(token)}),
            stopped=lambda: inbox.is_stopped(number),
        )
        return [reply.to_plain() for reply in replies]
    (arm, prompt), *_ = prompts.items()
    if request["op"] == "shifts":
        return models.shifts(arm, prompt, request["text"], request["token_ids"]).to_plain()
    return asdict(models.rendered(arm, prompt, settings))


if __name__ == "__main__":
    _out = sys.stdout
    sys.stdout = sys.stderr  # keeps what libraries print apart from the answers
    lower_priority()
    go_offline()
    sys.exit(serve_talk(sys.stdin, _out))
