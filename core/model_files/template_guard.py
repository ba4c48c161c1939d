"""Try a chat template in a child process with limited time and memory, before this process renders it.

The Jinja sandbox keeps a template from running code, but not from running without end or filling the memory. This
file is also the child program: it imports jinja2 and the standard library only, limits its own time and memory where
the system supports that, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from typing import Any

SECONDS = 2
START_SECONDS = 20
MEMORY_BYTES = 1 << 30
MAX_OUTPUT = 4 * 1024 * 1024


@lru_cache(maxsize=64)
def guard_error(template: str, specials: tuple[tuple[str, str], ...] = ()) -> str:
    """Return why the template must not be used, or "" when it renders a short conversation in time.

    Args:
        template: the Jinja source.
        specials: (name, text) of the special tokens that it may use, such as ("bos_token", "<s>").
    """
    if getattr(sys, "frozen", False):
        return ""  # a frozen program has no interpreter to start; size limit and sandbox remain
    request = json.dumps({"template": template, "specials": dict(specials)})
    try:
        done = subprocess.run(
            [sys.executable, "-I", __file__],
            input=request.encode("utf-8", "surrogatepass"),
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was still running after {START_SECONDS} s"
    try:
        return str(json.loads(done.stdout)["error"])
    except (ValueError, KeyError, TypeError):
        return f"it ran longer than {SECONDS} s or took more than {MEMORY_BYTES >> 30} GiB"


def _limit_self() -> None:
    try:
        import resource  # exists on Unix only
    except ImportError:  # Windows: only the parent's time-out limits the child
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))


def _render(template: str, specials: dict[str, str]) -> int:
    """Render two conversations as transformers does and return the longest output."""
    # jinja2 is needed in the child only
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise ValueError(message)

    class Generation(loopcontrols):
        """``{% generation %}`` blocks mark the assistant's text; their content is rendered as it is."""

        tags = {*loopcontrols.tags, "generation"}

        def parse(self, parser: Any) -> Any:
            if parser.stream.current.value != "generation":
                return super().parse(parser)
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation])
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals.update(raise_exception=refuse, strftime_now=lambda _: "01 Jan 2025")
    compiled = environment.from_string(template)
    turns = [{"role": role, "content": f"text {i}"} for i, role in enumerate(("user", "assistant") * 2)]
    longest = 0
    for header in (True, False):
        size = 0
        for piece in compiled.generate(messages=turns, add_generation_prompt=header, tools=None, **specials):
            size += len(piece)
            if size > MAX_OUTPUT:
                return size
        longest = max(longest, size)
    return longest


def _child() -> None:
    request = json.loads(sys.stdin.buffer.read())
    _limit_self()
    try:
        size = _render(request["template"], request["specials"])
        error = f"it writes more than {MAX_OUTPUT >> 20} MiB" if size > MAX_OUTPUT else ""
    except MemoryError:
        error = f"it takes more than {MEMORY_BYTES >> 30} GiB"
    except Exception as problem:  # noqa: BLE001 (a template may raise anything)
        error = f"it fails: {problem}"
    print(json.dumps({"error": error}))


if __name__ == "__main__":
    _child()
