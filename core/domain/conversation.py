"""A prompt is a list of messages; a plain string is one user message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.domain.errors import BadInput
from core.domain.ids import sha256_json

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. ``content`` is kept byte for byte as it came."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the responses answer: one or more turns, the last not by the assistant.

    Raises:
        BadInput: when there is no turn, or a role is unknown.
    """

    messages: tuple[Message, ...]

    def __post_init__(self) -> None:
        if not self.messages:
            raise BadInput("A prompt needs at least one message.")
        for message in self.messages:
            if message.role not in ROLES:
                raise BadInput(f"Unknown role {message.role!r}.", f"Use one of {', '.join(ROLES)}.")

    @classmethod
    def from_text(cls, text: str) -> Prompt:
        """Return the prompt of a single user turn."""
        return cls((Message("user", text),))

    @classmethod
    def from_plain(cls, rows: Iterable[Mapping[str, Any]]) -> Prompt:
        """Return the prompt of ``[{"role": ..., "content": ...}, ...]``."""
        return cls(tuple(Message(row["role"], row["content"]) for row in rows))

    def to_plain(self) -> list[dict[str, str]]:
        """Return plain values, the form that is hashed, stored and exported."""
        return [{"role": m.role, "content": m.content} for m in self.messages]

    @property
    def sha256(self) -> str:
        """Content hash: two prompts are the same prompt exactly when this is equal."""
        return sha256_json(self.to_plain())

    @property
    def last_text(self) -> str:
        """The turn that is being answered."""
        return self.messages[-1].content

    def as_text(self) -> str:
        """Return the text a model without a chat template reads.

        One user turn is itself, unchanged. Several turns use the HH-RLHF transcript form,
        ``\\n\\nHuman: ...\\n\\nAssistant:``.
        """
        if len(self.messages) == 1 and self.messages[0].role == "user":
            return self.messages[0].content
        names = {"user": "Human", "assistant": "Assistant", "system": "System", "tool": "Tool"}
        turns = "".join(f"\n\n{names[m.role]}: {m.content}" for m in self.messages)
        return turns + "\n\nAssistant:"
