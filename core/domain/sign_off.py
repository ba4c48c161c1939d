"""Who puts a name under a freeze."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignOff:
    """Whether a freeze needs a name under it, and whose.

    Attributes:
        wanted: the workspace asks for it.
        editor: name of the person whose label, decision or retraction is the newest; "" where no person labelled.
        people: active people who may sign: all but the editor.
        by: who signed; "" where nobody did.
    """

    wanted: bool
    editor: str = ""
    people: tuple[str, ...] = ()
    by: str = ""
