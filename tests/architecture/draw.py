"""Draw the rooms of the source tree and their imports as the picture in core/README.md.

python -m tests.architecture.draw            print the picture
python -m tests.architecture.draw --write    put it into core/README.md
"""

from __future__ import annotations

import sys

from tests.architecture.imports import ROOT, import_graph, rooms, without_shortcuts

README = ROOT / "core" / "README.md"
BEGIN, END = "```mermaid\n", "```\n"
ROOMS = {
    "app": "app",
    "core.cli": "cli",
    "core.services": "services",
    "core.runs": "runs",
    "core.store": "store",
    "core.training": "training",
    "core.evaluation": "evaluation",
    "core.generation": "generation",
    "core.model_files": "model_files",
    "core.durable": "durable",
    "core.domain": "domain",
}


def picture() -> str:
    """Return the rooms and arrows as a Mermaid chart; an arrow that a longer way replaces is left out."""
    arrows = without_shortcuts(rooms(import_graph("app", "core"), ROOMS))
    order = list(ROOMS.values())
    lines = [
        f"    {a} --> {b}" for a, b in sorted(arrows, key=lambda arrow: (order.index(arrow[0]), order.index(arrow[1])))
    ]
    return "\n".join([f"{BEGIN}flowchart TD", *lines, END])


def with_picture(text: str) -> str:
    """Return the README with today's picture in place of the one it holds."""
    head, rest = text.split(BEGIN, 1)
    return head + picture() + rest.split(END, 1)[1]


if __name__ == "__main__":
    if "--write" in sys.argv:
        README.write_text(with_picture(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(picture(), end="")
