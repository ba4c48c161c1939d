"""A child program of a talk without a model: it answers each question with its first word, or ends as it is told."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def _main() -> None:
    opening = json.loads(sys.stdin.readline())
    if opening["device"] == "none":
        _say({"error": "There is no model.", "hint": "Name one.", "kind": "NotFound"})
        sys.exit(1)
    _say({"loading": [0, 1, "Loading the model"]})
    if opening["device"] == "slow":
        sys.stdin.read()
    _say({"ready": []})
    for line in sys.stdin:
        message = json.loads(line)
        number = message["id"]
        print("a library prints this", flush=True)
        match message["op"]:
            case "die":
                _say({"id": number, "token": ["policy", "half", 1, False]})
                os.kill(os.getpid(), signal.SIGKILL)
            case "fall":
                sys.exit("out of patience")
            case "refuse":
                _say({"id": number, "error": "Too long.", "hint": "Shorten it.", "kind": "BadInput"})
            case "wait":
                _say({"id": number, "token": ["policy", "so", 1, False]})
                stop = json.loads(sys.stdin.readline())
                _say({"id": number, "result": ["stopped", stop["id"]]})
            case _:
                _say({"id": number - 1, "result": "of an earlier request"})
                _say({"id": number, "result": [os.getpid(), message["op"]]})


if __name__ == "__main__":
    _main()
