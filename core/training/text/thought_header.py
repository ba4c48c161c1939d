"""The header of an answer in templates of models that think before they answer.

Such a template may end the generation header with an opening tag (``<think>``), write an empty thought before an
answer that has none, or drop the thought of a finished turn. Nothing here knows a model: the tags are read from the
two headers themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"<\|?/?[A-Za-z][^<>\n|]*\|?>|\[/?[A-Za-z][^\[\]\n]*\]|\u25c1/?[A-Za-z][^\u25c1\u25b7\n]*\u25b7")
_REACH = 512
"""Characters at the end of a header in which its thought is looked for."""
_ENDS = (("START", "END"), ("start", "end"), ("BEGIN", "END"), ("begin", "end"))


@dataclass(frozen=True, slots=True)
class Headers:
    """What stands between the last question and an answer.

    Attributes:
        base: the prompt up to where the two headers part: ``...<|im_start|>assistant\\n``.
        opened: what the generation header adds: an opening tag, an empty thought, or nothing.
        lead: what the template adds before a finished answer: an empty thought, the name of a channel, or nothing.
        opening: the tag that opens a thought, "" when neither header shows one.
        is_open: whether ``opened`` opens a thought and does not close it.
    """

    base: str
    opened: str
    lead: str
    opening: str
    is_open: bool

    @property
    def plain_lead(self) -> str:
        """What stands before an answer without a thought: the empty thought of generation, or of the template."""
        return self.opened if self.opened and not self.is_open else self.lead

    def has_own_thought(self, answer: str) -> bool:
        """Return whether the answer opens a thought itself."""
        return bool(self.opening) and answer.lstrip().startswith(self.opening)

    def continues_thought(self, answer: str) -> bool:
        """Return whether the answer closes the thought that the generation header opens."""
        closed = self.is_open and any(tag in answer for tag in closings_of(self.opening))
        return closed and not self.has_own_thought(answer)

    def candidates(self) -> tuple[str, ...]:
        """Return the headers that a response may start behind, the longest first.

        Blanks alone that a template writes before an answer stay with the response, and so do spaces at a header's
        end, because they belong to its first token.
        """
        leads = {lead.rstrip(" ") for lead in (self.opened, self.lead) if lead.strip()}
        return (*(self.base + lead for lead in sorted(leads, key=len, reverse=True)), self.base)


@dataclass(frozen=True, slots=True)
class _Thought:
    """A thought at the end of a header: where it begins, its opening tag, and whether it is closed."""

    start: int
    opening: str
    closed: bool


def closings_of(opening: str) -> tuple[str, ...]:
    """Return the tags that may close a thought.

    >>> closings_of("<think>"), closings_of("[THINK]"), closings_of("<|START_THINKING|>")[1]
    (('</think>',), ('[/THINK]',), '<|END_THINKING|>')
    """
    head = 2 if opening.startswith("<|") else 1
    slashed = f"{opening[:head]}/{opening[head:]}"
    return (slashed, *(opening.replace(a, b) for a, b in _ENDS if a in opening))


def split_headers(generation: str, finished: str) -> Headers | None:
    """Return how the header that generation starts from and that of a finished answer differ.

    Args:
        generation: text up to where generation starts.
        finished: text up to a finished answer without a thought, of the same conversation.

    Returns:
        None when they differ by more than a thought, or by more than what one adds behind the other: the answer then
        stands under another role's header.

    >>> split_headers("<a>\\n<think>\\n", "<a>\\n<think></think>")
    Headers(base='<a>\\n', opened='<think>\\n', lead='<think></think>', opening='<think>', is_open=True)
    """
    ours, theirs = _thought_at_end(generation), _thought_at_end(finished)
    base = generation[: ours.start] if ours else generation
    same_tag = ours is None or theirs is None or ours.opening == theirs.opening
    if (ours or theirs) and same_tag and base == (finished[: theirs.start] if theirs else finished):
        opening = (ours or theirs).opening  # type: ignore[union-attr]
        return Headers(
            base, generation[len(base) :], finished[len(base) :], opening, ours is not None and not ours.closed
        )
    if finished.startswith(generation):
        lead = finished[len(generation) :]
        return Headers(generation, "", lead, _first_tag(lead), is_open=False)
    if generation.startswith(finished):
        opened = generation[len(finished) :]
        if tag := _first_tag(opened):
            return Headers(finished, opened, "", tag, is_open=True)
        return Headers(generation, "", "", "", is_open=False)
    return None


def opened_thought(generation: str) -> str:
    """Return the tag of a thought that the generation header opens and does not close, "" without one."""
    found = _thought_at_end(generation)
    return found.opening if found is not None and not found.closed else ""


def _first_tag(text: str) -> str:
    found = _TAG.search(text)
    return found.group() if found else ""


def _thought_at_end(header: str) -> _Thought | None:
    """Return the tag, or the pair of tags with nothing between, that ends a header; blanks may follow."""
    header_at = max(0, len(header) - _REACH)
    tags = list(_TAG.finditer(header, header_at))
    if not tags or header[tags[-1].end() :].strip():
        return None
    last = tags[-1]
    if len(tags) > 1 and last.group() in closings_of(tags[-2].group()):
        before = tags[-2]
        return None if header[before.end() : last.start()].strip() else _Thought(before.start(), before.group(), True)
    return None if last.group().lstrip("<|[\u25c1").startswith("/") else _Thought(last.start(), last.group(), False)
