"""Child program: look at a file, or parse it and write its prepared pairs to standard output.

A hostile file can make a library crash or fill the memory; here it takes this process with it and nothing else. The
process limits its own memory where the platform can.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO

from core.domain.errors import UserError
from core.services.importing.fewer_collections import collect_rarely
from core.services.importing.limits import Limits
from core.services.importing.look import preview_of
from core.services.importing.process.batches import ParsedHere
from core.services.importing.process.frames import batch_to_plain, read_frame, write_frame
from core.services.importing.process.values import from_plain, to_plain
from core.services.importing.reading import Choices


def main(source: BinaryIO, out: BinaryIO) -> int:
    """Do what the request says and return the exit code."""
    collect_rarely()
    request = read_frame(source)
    path, memory = Path(request["path"]), int(request["memory"])
    try:
        limit_memory(memory)
        choices, limits = from_plain(Choices, request["choices"]), from_plain(Limits, request["limits"])
        if request["task"] == "preview":
            write_frame(out, {"preview": to_plain(preview_of(path, choices, limits))})
        else:
            _parse(path, choices, limits, source, out)
    except UserError as error:
        write_frame(out, _error(error))
    except MemoryError:
        room = f"{memory / 2**30:.1f} GiB"
        message = f"{path.name} needs more than {room} of memory to be read; reading stopped."
        write_frame(out, _error(UserError(message, "Split the file, or write its rows or row groups smaller.")))
    return 0


def _parse(path: Path, choices: Choices, limits: Limits, source: BinaryIO, out: BinaryIO) -> None:
    """Write how the file is read, and once the other side wants them, its batches."""
    parsed = ParsedHere(path, choices, limits)
    write_frame(out, {"found": to_plain(parsed.found())})
    wanted = read_frame(source)
    if wanted is None:
        return
    for batch in parsed.batches(wanted["rows"], wanted["skip"]):
        plain, texts = batch_to_plain(batch)
        write_frame(out, {"batch": plain}, texts)
    write_frame(out, {"remarks": parsed.remarks()})


def _error(error: UserError) -> dict[str, Any]:
    return {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}


def limit_memory(most: int) -> None:
    """Let this process have at most ``most`` bytes of memory; 0 for no limit."""
    if not most:
        return
    try:
        import resource  # exists on Unix only
    except ImportError:
        return
    limit = resource.RLIMIT_AS
    _, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(limit, (most, hard))


if __name__ == "__main__":
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # keeps what libraries print apart from the messages
    sys.exit(main(sys.stdin.buffer, output))
