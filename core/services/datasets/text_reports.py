"""What a freeze says of the texts: flags of its items, prompts that fall together, near copies across splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.domain.dataset import FreezePolicy, FrozenItem
from core.domain.splits import first_spellings
from core.domain.text_flags import FLAG_KEYS, FLAG_WORDS, flag_keys, flag_named
from core.store.freeze_snapshot import Candidate

_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class TextReport:
    """Counts and sentences for a freeze plan."""

    counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def split_names(candidates: Sequence[Candidate], rule: int) -> Callable[[Candidate], str]:
    """Return the function that gives the hash by which a pair's split is drawn; see ``core.domain.splits``."""
    if rule == 1:
        return lambda candidate: candidate.prompt_sha256
    first = first_spellings((c.prompt_id, c.prompt_sha256, c.same) for c in candidates)
    return lambda candidate: first[candidate.same]


def reason_to_drop(candidate: Candidate, policy: FreezePolicy) -> str:
    """Return why the policy leaves a pair out for its texts, or an empty text."""
    flags = flag_keys(candidate.text_flags)
    return next((FLAG_WORDS[flag_named(key)] for key in policy.drop_text_flags if key in flags), "")


def report(candidates: Sequence[Candidate], items: Sequence[FrozenItem]) -> TextReport:
    """Return what is worth knowing of the texts of the items."""
    of = {candidate.pair_id: candidate for candidate in candidates}
    flagged = [(item.pair_id, of[item.pair_id].text_flags) for item in items if of[item.pair_id].text_flags]
    counts, notes = {}, []
    for key in FLAG_KEYS:
        bit = flag_named(key)
        ids = [pair_id for pair_id, flags in flagged if flags & bit]
        if ids:
            counts[f"flag_{key}"] = len(ids)
            items_are = "item" if len(ids) == 1 else "items"
            notes.append(f"In {len(ids):,} {items_are} {FLAG_WORDS[bit]}: {_named(ids)}.")
    if counts:
        notes.append(f"Items with such texts can be left out (drop_text_flags={','.join(k[5:] for k in counts)}).")
    near = _near_copies([(item, of[item.pair_id]) for item in items])
    if near:
        counts["near_copies"] = len(near)
        prompts = "prompt of dev and test has" if len(near) == 1 else "prompts of dev and test have"
        notes.append(
            f"{len(near):,} {prompts} a near copy in train, with the same words but other signs or another system "
            f"text: {_named(list(near.values()))}."
        )
    return TextReport(counts, tuple(notes))


def _near_copies(items: Sequence[tuple[FrozenItem, Candidate]]) -> dict[int, int]:
    """Return id of each held-out prompt whose words also stand in train -> one of its pairs."""
    trained = {candidate.words for item, candidate in items if item.split == "train"}
    found: dict[int, int] = {}
    for item, candidate in items:
        if item.split != "train" and candidate.words in trained:
            found.setdefault(candidate.prompt_id, item.pair_id)
    return found


def _named(pair_ids: Sequence[int]) -> str:
    more = ", ..." if len(pair_ids) > _EXAMPLES else ""
    return ", ".join(f"#{key}" for key in pair_ids[:_EXAMPLES]) + more
