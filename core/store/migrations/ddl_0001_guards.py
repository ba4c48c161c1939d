"""Triggers of schema 1 that make published, judged and frozen rows immutable.

``INSERT OR REPLACE``, ``UPDATE OR REPLACE`` and UPSERT remove or rewrite a row without firing its DELETE
trigger (unless ``recursive_triggers`` is on), so every guarded table also checks, before an insert or update,
that no protected row stands in the way. Messages begin with ``immutable:`` and are turned into ImmutableError.
"""

from __future__ import annotations


def guard(name: str, table: str, event: str, when: str, message: str) -> str:
    """Return the trigger that refuses an event on a table under a condition; an empty one always holds."""
    clause = f" WHEN {when}" if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table}{clause} BEGIN SELECT RAISE(ABORT,'immutable: {message}'); END"
    )


def append_only(table: str, what: str, *keys: str) -> list[str]:
    """Guard a table whose rows never change: ``keys`` are conditions that find a row in the way of NEW."""
    taken = " OR ".join(f"EXISTS(SELECT 1 FROM {table} WHERE {key})" for key in keys)
    return [
        guard(f"{table}_no_insert", table, "INSERT", taken, f"this {what} is already there"),
        guard(f"{table}_no_update", table, "UPDATE", "", f"a {what} never changes"),
        guard(f"{table}_no_delete", table, "DELETE", "", f"a {what} is never deleted"),
    ]


def _identity(table: str, what: str, fixed: tuple[str, ...]) -> list[str]:
    """Guard the columns that say which thing a row is; the others may change."""
    changed = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in fixed)
    other = f"EXISTS(SELECT 1 FROM {table} WHERE id<>OLD.id AND name=NEW.name)"
    taken = f"EXISTS(SELECT 1 FROM {table} WHERE id=NEW.id OR uid=NEW.uid OR name=NEW.name)"
    return [
        guard(f"{table}_no_replace", table, "INSERT", taken, f"this {what} is already there"),
        guard(f"{table}_same", table, "UPDATE", f"{changed} OR {other}", f"what a {what} is never changes"),
        guard(f"{table}_no_delete", table, "DELETE", "", f"a {what} is never deleted"),
    ]


_RUBRIC_VERSION = [
    guard(
        "rubric_version_insert",
        "rubric_version",
        "INSERT",
        "NEW.state<>'draft' OR EXISTS(SELECT 1 FROM rubric_version WHERE state='published' AND "
        "(id=NEW.id OR uid=NEW.uid OR (rubric_id=NEW.rubric_id AND number=NEW.number)))",
        "a rubric version starts as a draft, and a published one never changes",
    ),
    guard(
        "rubric_version_update",
        "rubric_version",
        "UPDATE",
        "OLD.state='published' OR NEW.id<>OLD.id OR NEW.rubric_id<>OLD.rubric_id OR NEW.uid<>OLD.uid OR "
        "EXISTS(SELECT 1 FROM rubric_version WHERE id<>OLD.id AND rubric_id=NEW.rubric_id AND number=NEW.number)",
        "a published rubric version never changes",
    ),
    guard(
        "rubric_version_delete",
        "rubric_version",
        "DELETE",
        "OLD.state='published'",
        "a published rubric version is never deleted",
    ),
]

_PRESENTATION = [
    *append_only("presentation", "presentation", "id=NEW.id OR uid=NEW.uid"),
    guard(
        "presentation_rubric",
        "presentation",
        "INSERT",
        "(SELECT state FROM rubric_version WHERE id=NEW.rubric_version_id) IS NOT 'published'",
        "pairs are judged under published rubric versions only",
    ),
]

_OF_CHAIN = "pair_id=NEW.pair_id AND rubric_version_id=NEW.rubric_version_id AND reviewer_id=NEW.reviewer_id"
_ROOTS = "NEW.supersedes IS NULL AND supersedes IS NULL"
_LABELS = "('label','relabel','imported')"
_JUDGEMENT = [
    *append_only(
        "judgement",
        "judgement",
        "id=NEW.id OR uid=NEW.uid",
        "presentation_id=NEW.presentation_id AND revision=NEW.revision",
        "supersedes=NEW.supersedes",
        f"{_ROOTS} AND NEW.task IN{_LABELS} AND task IN{_LABELS} AND {_OF_CHAIN}",
        f"{_ROOTS} AND NEW.task='adjudicate' AND task='adjudicate' AND {_OF_CHAIN}",
    ),
    guard(
        "judgement_presentation",
        "judgement",
        "INSERT",
        f"NOT EXISTS(SELECT 1 FROM presentation WHERE id=NEW.presentation_id AND task=NEW.task AND {_OF_CHAIN})",
        "a judgement belongs to the showing it answers",
    ),
    # A chain is extended by its own reviewer only: a retraction takes back a label, and a gold or retest
    # answer stays within its presentation.
    guard(
        "judgement_chain",
        "judgement",
        "INSERT",
        "(NEW.supersedes IS NULL AND NEW.kind='retract') OR (NEW.supersedes IS NOT NULL AND NOT EXISTS("
        f"SELECT 1 FROM judgement WHERE id=NEW.supersedes AND {_OF_CHAIN} AND (NEW.kind='label' OR kind='label') "
        f"AND (presentation_id=NEW.presentation_id OR (task IN{_LABELS} AND NEW.task IN{_LABELS}) "
        "OR (task='adjudicate' AND NEW.task='adjudicate'))))",
        "a judgement extends its own chain",
    ),
]


def frozen_versions(table: str) -> list[str]:
    """Guard a table of versions by name and number, which start open and never change once they are frozen."""
    return [
        guard(
            f"{table}_insert",
            table,
            "INSERT",
            f"NEW.state<>'open' OR EXISTS(SELECT 1 FROM {table} WHERE state='frozen' AND "
            "(id=NEW.id OR uid=NEW.uid OR (name=NEW.name AND number=NEW.number)))",
            f"a {table} version starts open, and a frozen one never changes",
        ),
        guard(
            f"{table}_update",
            table,
            "UPDATE",
            "OLD.state='frozen' OR NEW.id<>OLD.id OR NEW.uid<>OLD.uid OR "
            f"EXISTS(SELECT 1 FROM {table} WHERE id<>OLD.id AND name=NEW.name AND number=NEW.number)",
            f"a frozen {table} version never changes",
        ),
        guard(f"{table}_delete", table, "DELETE", "OLD.state='frozen'", f"a frozen {table} version is never deleted"),
    ]


def part_of(version: str, table: str) -> list[str]:
    """Guard a table whose rows belong to a version: no row enters, leaves or moves once that is frozen."""
    message = f"a frozen {version} version never changes"
    is_open = f"(SELECT state FROM {version} WHERE id={{0}}.{version}_id) IS NOT 'open'"
    both = f"{is_open.format('OLD')} OR {is_open.format('NEW')}"
    return [
        guard(f"{table}_insert", table, "INSERT", is_open.format("NEW"), message),
        guard(f"{table}_update", table, "UPDATE", both, message),
        guard(f"{table}_delete", table, "DELETE", is_open.format("OLD"), message),
    ]


_META = [
    guard("meta_insert", "meta", "INSERT", "EXISTS(SELECT 1 FROM meta WHERE key=NEW.key AND key='uuid')", "the uuid"),
    guard("meta_update", "meta", "UPDATE", "OLD.key='uuid' OR NEW.key='uuid'", "the workspace uuid never changes"),
    guard("meta_delete", "meta", "DELETE", "OLD.key='uuid'", "the workspace uuid is never deleted"),
]

GUARDS: tuple[str, ...] = (
    *_META,
    *_identity("reviewer", "reviewer", ("id", "uid", "kind", "created_ms")),
    *_identity("source", "source", ("id", "uid", "kind", "file_sha256", "created_ms")),
    *_identity("rubric", "rubric", ("id", "uid", "kind", "created_ms")),
    *append_only("prompt", "prompt", "id=NEW.id OR sha256=NEW.sha256"),
    *append_only("pair", "pair", "id=NEW.id OR sha256=NEW.sha256"),
    *append_only("pair_source", "source of a pair", "pair_id=NEW.pair_id AND source_id=NEW.source_id"),
    *_RUBRIC_VERSION,
    *_PRESENTATION,
    *_JUDGEMENT,
    *frozen_versions("dataset"),
    *part_of("dataset", "dataset_item"),
    *part_of("dataset", "dataset_item_judgement"),
    *part_of("dataset", "dataset_rubric"),
    *part_of("dataset", "dataset_left_out"),
    *append_only("event_log", "logged event", "id=NEW.id"),
)
