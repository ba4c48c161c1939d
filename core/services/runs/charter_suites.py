"""The suites that a charter names: whether they exist, what they hold, how many items they have."""

from __future__ import annotations

from dataclasses import replace

from core.domain.charter import Charter
from core.services.runs.charter_file import require_benign
from core.services.suites.service import SuitesService
from core.store.sqlite.database import Store

_SPLITS = ("train", "dev", "test")


def with_suites(charter: Charter, store: Store) -> Charter:
    """Return the charter with full titles and sizes of the suites that it names.

    Raises:
        NotFound: when there is no such suite.
        UsageError: when the benign suite holds nothing that should be answered.
    """
    named = [name for name in charter.examples if name not in _SPLITS]
    if not (named or charter.benign_suite or charter.regression_suite):
        return charter
    suites = SuitesService(store)
    found = {name: suites.show(name).info for name in {*named, charter.benign_suite, charter.regression_suite} - {""}}
    if charter.benign_suite:
        require_benign(charter.benign_suite, found[charter.benign_suite].counts)
    return replace(
        charter,
        examples=tuple(found[name].title if name in found else name for name in charter.examples),
        counts={**charter.counts, **{found[name].title: found[name].n for name in named}},
        benign_suite=found[charter.benign_suite].title if charter.benign_suite else "",
        regression_suite=found[charter.regression_suite].title if charter.regression_suite else "",
    )
