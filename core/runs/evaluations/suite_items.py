"""The items of the suites of an evaluation: from its folder, or, of a sealed test, opened in the evaluator process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from core.domain.evaluation_record import EvaluatedSuite, EvaluationRecord
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.ids import sha256_text
from core.domain.suite import SuiteItem
from core.evaluation.openings import count_looks, read_notes
from core.runs.evaluations.folder import EvaluationFolder


def drawn(items: Sequence[SuiteItem], limit: int) -> tuple[SuiteItem, ...]:
    """Return at most ``limit`` items (0: all) in their order; which ones depends on their ids alone.

    A larger limit takes the same ones and more, and the categories of a suite that is sorted by them stay mixed. Of a
    suite in several languages whole rows are taken: a request in all its languages.
    """
    if not limit or limit >= len(items):
        return tuple(items)
    if rows := index_aligned(items):
        languages = len(next(iter(rows.values())))
        chosen = _by_hash(rows, max(1, limit // languages))
        kept = {item.id for name in chosen for item in rows[name].values()}
    else:
        kept = _by_hash((item.id for item in items), limit)
    return tuple(item for item in items if item.id in kept)


def _by_hash(names: Iterable[str], count: int) -> set[str]:
    return set(sorted(names, key=lambda name: sha256_text(name))[:count])


def index_aligned(items: Sequence[SuiteItem]) -> dict[str, dict[str, SuiteItem]]:
    """Return the requests that stand in a suite in every language: name -> language -> item.

    The id of such an item is the name of the request, a dot and its value of the slice ``language``. Empty for a suite
    in one language. Preference items are left out: what is compared are answers.
    """
    rows: dict[str, dict[str, SuiteItem]] = {}
    for item in items:
        language = item.slices.get("language", "")
        name, _, end = item.id.rpartition(".")
        if name and end == language and item.expected in ("check", "comply", "refuse"):
            rows.setdefault(name, {})[language] = item
    languages = {language for row in rows.values() for language in row}
    return {name: row for name, row in rows.items() if len(row) == len(languages)} if len(languages) > 1 else {}


def flat(rows: Mapping[str, Mapping[str, SuiteItem]]) -> tuple[SuiteItem, ...]:
    """Return the items of :func:`index_aligned`."""
    return tuple(item for row in rows.values() for item in row.values())


def answered(items: Sequence[SuiteItem], config: EvaluationConfig) -> list[SuiteItem]:
    """Return the items whose prompt is answered: no neutral texts, and of preference items one a prompt or none."""
    found: list[SuiteItem] = []
    seen: set[str] = set()
    for item in items:
        if item.expected == "neutral":
            continue
        if item.expected == "preference":
            key = item.prompt.sha256
            if not config.answer_pairs or key in seen:
                continue
            seen.add(key)
        found.append(item)
    return found


def for_kl(items: Sequence[SuiteItem], config: EvaluationConfig) -> tuple[SuiteItem, ...]:
    """Return the items whose prompts the sequence KL is estimated on: of different prompts, drawn by their ids."""
    asked = [item for item in items if item.expected != "neutral"]
    different = {item.prompt.sha256: item for item in reversed(asked)}
    return drawn([item for item in asked if different[item.prompt.sha256] is item], config.kl_prompts)


def load_items(
    folder: EvaluationFolder, record: EvaluationRecord
) -> tuple[Mapping[str, Sequence[SuiteItem]], dict[str, int]]:
    """Return the items of each suite by its title, and the looks at each sealed test, this one included.

    Opening a sealed test is noted before it is read; resuming an evaluation is no further look.

    Raises:
        BadInput: when a file is missing or was altered, or a sealed test holds other items.
        NotFound: when the key of a sealed test is not there.
    """
    stored = folder.items()
    items = {
        suite.title: _sealed(record, suite) if suite.sealed else stored.get(suite.title, []) for suite in record.suites
    }
    sealed = [suite for suite in record.suites if suite.sealed]
    return items, {suite.title: count_looks(read_notes(Path(suite.sealed))) for suite in sealed}


def _sealed(record: EvaluationRecord, suite: EvaluatedSuite) -> Sequence[SuiteItem]:
    # It loads the library for encryption, which a process that only watches does not need.
    from core.evaluation.sealed_test import open_sealed

    policies = ", ".join(arm.name for arm in record.arms if arm.is_policy) or "reference"
    opening = open_sealed(
        Path(suite.sealed),
        Path(suite.keys),
        person=suite.person,
        reason=suite.reason,
        policy=f"{record.run.get('name', '')}: {policies}",
        evaluation=record.evaluation_id,
        expected_sha256=suite.sha256,
        limit=record.limit,
    )
    return opening.suite.items
