"""Suites made of what the workspace holds: the prompts of some pairs, or the dev split of a dataset version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.counting import counted
from core.domain.dataset import DatasetVersion
from core.domain.errors import BadInput
from core.domain.pair import Pair
from core.domain.suite import Expected, SuiteItem
from core.evaluation.chosen_refusals import says_no
from core.services.suites.computed_slices import with_slices
from core.store import dataset_parts, datasets, suite_sources
from core.store import pairs as pairs_repository
from core.store.plain import chunks
from core.store.sqlite.database import Session

OF_PROMPTS: tuple[Expected, ...] = ("comply", "refuse", "open")
"""What can be expected of prompts alone."""
_ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class PromptItems:
    """The prompts of some pairs as items: prompts = items + sealed.

    Attributes:
        pairs: that passed the filter. prompts: different prompts among them.
        sealed: prompts left out, because a sealed test split holds one that asks the same.
        trained: items whose prompt a train split holds: a policy trained on that version has seen them.
    """

    items: tuple[SuiteItem, ...]
    pairs: int
    prompts: int
    sealed: int
    trained: int

    def notes(self) -> tuple[str, ...]:
        """Return what should be known of the suite, one sentence each."""
        notes = []
        if self.sealed:
            notes.append(f"{counted(self.sealed, 'prompt')} of sealed test splits left out.")
        if self.trained:
            notes.append(
                f"{counted(self.trained, 'prompt')} in the train split of a dataset version: its runs have seen them."
            )
        return tuple(notes)


def items_of_pairs(session: Session, pair_ids: Sequence[int], expected: Expected) -> PromptItems:
    """Return the different prompts of pairs, in their order.

    Raises:
        BadInput: there is no prompt left, or prompts alone cannot have this expectation.
    """
    if expected not in OF_PROMPTS:
        raise BadInput(
            f"Prompts alone cannot expect {expected!r}; nothing was stored.",
            f"Use {', '.join(OF_PROMPTS)}; preferences come from a dataset version.",
        )
    places = suite_sources.places_of(session, pair_ids)
    seen: dict[str, SuiteItem] = {}
    sealed: set[str] = set()
    trained = 0
    for part in chunks(pair_ids):
        for key, (_, pair) in pairs_repository.texts(session, part).items():
            name, place = pair.prompt.sha256, places[key]
            if name in seen or name in sealed:
                continue
            if place.in_test:
                sealed.add(name)
                continue
            trained += place.in_train
            seen[name] = with_slices(SuiteItem(name[:_ID_CHARS], pair.prompt, expected, {"source": place.source}))
    if not seen:
        why = f" All of its {counted(len(sealed), 'prompt')} are in sealed test splits." if sealed else ""
        raise BadInput(f"No pair gives an item; nothing was stored.{why}", "Choose other pairs.")
    return PromptItems(tuple(seen.values()), len(pair_ids), len(seen) + len(sealed), len(sealed), trained)


def items_of_dev(session: Session, wanted: int | str) -> tuple[DatasetVersion, tuple[SuiteItem, ...]]:
    """Return a dataset version and the items of its dev split as preferences.

    Slices: source of the pair, agreement of the labels behind the item, the rubric clause that decided it, and whether
    the chosen answer begins as refusals do.

    Raises:
        NotFound: there is no such version.
        BadInput: its dev split is empty.
    """
    version = datasets.get(session, wanted)
    found = list(datasets.with_texts(session, version.id, ["dev"]))
    if not found:
        raise BadInput(
            f"The dev split of {version.title} is empty; nothing was stored.", "Freeze with a share for dev."
        )
    places = suite_sources.places_of(session, [item.pair_id for item, _, _ in found])
    clauses = dataset_parts.clauses_of(session, version.id)
    items = []
    for frozen, pair, strengths in found:
        chosen, rejected = _sides(pair, frozen.chosen)
        slices = {
            "source": places[frozen.pair_id].source,
            "agreement": _agreement(strengths),
            "clause": _clause(clauses.get(frozen.position, [])),
            "chosen refuses": "yes" if says_no(chosen) else "no",
        }
        items.append(
            with_slices(
                SuiteItem(
                    frozen.pair_sha256[:_ID_CHARS],
                    pair.prompt,
                    "preference",
                    slices,
                    chosen=chosen,
                    rejected=rejected,
                    target=frozen.target,
                    is_tie=frozen.is_tie,
                )
            )
        )
    return version, tuple(items)


def _sides(pair: Pair, chosen: str) -> tuple[str, str]:
    return (pair.a.text, pair.b.text) if chosen == "A" else (pair.b.text, pair.a.text)


def _clause(names: Sequence[str]) -> str:
    if not names:
        return "no clause"
    return names[0] if len(names) == 1 else "several clauses"


def _agreement(strengths: Sequence[int]) -> str:
    if len(strengths) < 2:
        return "one label"
    signs = {(value > 0) - (value < 0) for value in strengths}
    return "all labels agree" if len(signs) == 1 else "labels differ"
