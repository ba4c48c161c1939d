"""The card of an exported dataset version: what it is, who judged it by which rubric, what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from core.domain.adjudication import adjudicated_words
from core.domain.clock import now_ms
from core.domain.counting import counted, verb
from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.judgement import ReviewerKind
from core.domain.licence import shown_licence
from core.domain.rubric import Criterion, RubricVersion
from core.domain.text_flags import FLAG_KEYS, FLAG_WORDS, flag_named
from core.store import dataset_provenance, rubrics
from core.store import datasets as repository

_TRL = "Each line holds a prompt and two answers as messages, `chosen` the preferred one."


def write(
    session: repository.Session, version: DatasetVersion, files: Mapping[str, str], sealed: int, about: str = ""
) -> str:
    """Return the card as Markdown with the front matter that Hugging Face datasets reads.

    Args:
        session: the snapshot that the files were written from.
        version: the dataset version.
        files: split -> file name of the splits that were written.
        sealed: items of the test split that were not.
        about: what a line holds, where it has not the columns of TRL.
    """
    versions = [rubrics.get(session, key) for key in repository.rubric_version_ids(session, version.id)]
    parts = [
        _front_matter(version, files),
        f"# {version.title}\n",
        f"Preference pairs for DPO and reward modelling, frozen by Pairwright. {about or _TRL}\n",
        _counts(version, sealed),
        _sources(session, version),
        _reviewers(session, version),
        _agreement(version),
        *filter(None, (_adjudicated(version),)),
        _policy(version.policy),
        _left_out(version),
        *([] if about else [_columns()]),
        *(_rubric(one) for one in versions),
        _identity(version),
    ]
    return "\n".join(parts)


def _front_matter(version: DatasetVersion, files: Mapping[str, str]) -> str:
    lines = ["---", f"pretty_name: {_yaml(version.title)}", "tags:", "- preference", "- dpo"]
    if files:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        lines += [f"  - split: {split}\n    path: {name}" for split, name in files.items()]
    return "\n".join([*lines, "---", ""])


def _counts(version: DatasetVersion, sealed: int) -> str:
    counts = version.counts
    rows = [(key, counts.get(key, 0)) for key in ("items", "train", "dev", "test", "prompts", "ties", "judgements")]
    note = f"\nThe test split, {counted(sealed, 'item')}, is sealed and not part of this export.\n" if sealed else ""
    return "## Size\n\n" + _table(("what", "count"), rows) + note + _texts(counts)


def _texts(counts: Mapping[str, int]) -> str:
    """Return what was noticed in the texts of the items."""
    found = [(FLAG_WORDS[flag_named(key)], counts[f"flag_{key}"]) for key in FLAG_KEYS if f"flag_{key}" in counts]
    if near := counts.get("near_copies"):
        found.append(("a held-out prompt has a near copy in train", near))
    return "\n## What was noticed in the texts\n\n" + _table(("what", "items"), found) if found else ""


def _sources(session: repository.Session, version: DatasetVersion) -> str:
    found = dataset_provenance.sources_of(session, version.id)
    rows = [(name, shown_licence(licence), *rest) for name, licence, *rest in found]
    return "## Where the pairs come from\n\n" + _table(("source", "licence", "consent", "items"), rows)


def _reviewers(session: repository.Session, version: DatasetVersion) -> str:
    found = dataset_provenance.reviewers_of(session, version.id, now_ms())
    of_sources = "that of the sources"
    rows = [
        (name, kind, of_sources if kind == ReviewerKind.IMPORTED and not licence else shown_licence(licence), *rest)
        for name, kind, licence, *rest in found
    ]
    text = (
        "## Who judged\n\nNames are pseudonyms; *imported* stands for labels that came with a file. Licence and "
        "consent are of the labels, as they were stated when this card was written.\n\n"
    )
    return text + _table(("reviewer", "kind", "licence", "consent", "rubric", "judgements"), rows)


def _agreement(version: DatasetVersion) -> str:
    several, agree = version.counts.get("several", 0), version.counts.get("agree", 0)
    if not several:
        return "## Agreement\n\nEvery item stands on one judgement; agreement is not known.\n"
    return (
        f"## Agreement\n\n{counted(several, 'item')} {verb(several, 'stands', 'stand')} on more than one "
        f"judgement; on {agree:,} of them "
        f"({agree / several:.1%}) all name the same side. Pairs that the policy left out are not counted.\n"
    )


def _adjudicated(version: DatasetVersion) -> str:
    words = adjudicated_words(version.counts)
    return f"## Adjudication\n\n{words}\n" if words else ""


def _policy(policy: FreezePolicy) -> str:
    return "## Freeze policy\n\n" + _table(("setting", "value"), [(k, str(v)) for k, v in policy.to_plain().items()])


def _left_out(version: DatasetVersion) -> str:
    if not version.left_out:
        return "## Left out\n\nNothing.\n"
    rows = [(entry.reason, entry.count) for entry in version.left_out]
    return "## Left out\n\n" + _table(("reason", "pairs"), rows)


def _columns() -> str:
    rows = (
        ("prompt, chosen, rejected", "lists of messages with role and content, as TRL reads them"),
        ("strength", "how much better, 0..3: the aggregate of the labels"),
        ("strengths", "the labels one by one, positive for chosen, 0 for no preference"),
        ("weight, target", "factor on the loss; probability that chosen is better"),
        ("is_tie", "a tie, kept for tie-aware losses; chosen is then arbitrary"),
        ("chosen_generation, rejected_generation", "how the answer was sampled, as JSON; empty when not known"),
        ("pair_sha256", "names prompt and both answers by content"),
    )
    return "## Columns\n\n" + _table(("column", "meaning"), rows)


def _rubric(version: RubricVersion) -> str:
    body = version.body
    lines = [f"## Rubric: {version.title}", "", f"sha256 `{version.sha256}`", "", body.purpose, ""]
    if body.priority:
        lines += ["Priority where clauses conflict: " + " > ".join(body.priority), ""]
    for criterion in body.criteria:
        lines += _criterion(criterion)
    if body.tie_rule:
        lines += [f"Ties: {body.tie_rule}", ""]
    if body.not_checked:
        lines += [f"Not checked: {body.not_checked}", ""]
    return "\n".join(lines)


def _criterion(criterion: Criterion) -> list[str]:
    lines = [f"### {criterion.name} (`{criterion.id}`)", "", criterion.question, ""]
    lines += [f"- {point}: {text}" for point, text in sorted(criterion.anchors.items())]
    lines += [f"- allowed: {text}" for text in criterion.allowed]
    lines += [f"- not allowed: {text}" for text in criterion.disallowed]
    if criterion.note:
        lines += ["", criterion.note]
    return [*lines, ""]


def _identity(version: DatasetVersion) -> str:
    made = datetime.fromtimestamp(version.created_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    signed = f", signed off by {version.signed_off_by}" if version.signed_off_by else ""
    return (
        f"## Identity\n\nRoot sha256 `{version.root_sha256}` over policy, rubric contents and the ordered items; "
        f"frozen {made}{signed}. `MANIFEST.json` names every file with its hash.\n"
    )


def _table(head: tuple[str, ...], rows: object) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]  # type: ignore[attr-defined]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """Return a table cell; a pipe in the text is escaped."""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return " ".join(text.replace("|", "\\|").split()) or "-"


def _yaml(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"
