from __future__ import annotations

import time
import uuid

from core.domain.ids import new_uid, new_uids


def test_that_identifiers_have_the_layout_of_uuid_version_7() -> None:
    for uid in new_uids(200):
        assert (len(uid), uuid.UUID(uid).version, uuid.UUID(uid).variant) == (32, 7, uuid.RFC_4122)


def test_that_identifiers_differ_and_begin_with_their_time() -> None:
    before = time.time_ns() // 1_000_000
    found = [new_uid(), *new_uids(500)]
    assert len(set(found)) == len(found)
    assert all(before <= int(uid[:12], 16) <= time.time_ns() // 1_000_000 for uid in found)
