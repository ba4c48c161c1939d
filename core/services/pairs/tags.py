"""Tags of pairs: put on, taken off, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted
from core.domain.errors import NotFound
from core.domain.pair_tags import checked_tag
from core.store import pair_tags
from core.store import pairs as repository
from core.store.pair_tags import TagBook
from core.store.sqlite.database import Store


class PairTagsService:
    """Changes and counts the tags of pairs. Frozen dataset versions stay as they are. Any thread may call it."""

    def __init__(self, store: Store) -> None:
        self._store, self._book = store, TagBook()

    def read(self, session: repository.Session) -> Mapping[int, tuple[str, ...]]:
        """Return pair -> its tags as a session of the workspace sees them, or newer."""
        return self._book.read(session)

    def counts(self) -> dict[str, int]:
        """Return tag -> how many pairs have it, by name."""
        with self._store.read() as session:
            found = Counter(tag for tags in self._book.read(session).values() for tag in tags)
        return dict(sorted(found.items(), key=lambda one: one[0].casefold()))

    def of_pairs(self, pair_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return pair -> its tags in the order in which they were put on; pairs without a tag are left out."""
        with self._store.read() as session:
            found = self._book.read(session)
        return {key: found[key] for key in pair_ids if key in found}

    def of(self, pair_id: int) -> tuple[str, ...]:
        """Return the tags of a pair."""
        return self.of_pairs([pair_id]).get(pair_id, ())

    def change(
        self, pair_ids: Sequence[int], reviewer_id: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> Outcome[int]:
        """Put tags on pairs and take others off, in one transaction.

        Args:
            pair_ids: of the workspace.
            reviewer_id: who does it.
            add: tags to put on; one that differs from a tag in use by upper and lower case only is that tag.
            remove: tags to take off.

        Returns:
            How many pairs have other tags than before.

        Raises:
            BadInput: for a tag that is empty, too long or holds a comma. NotFound: for an unknown pair. Nothing was
                changed.
        """
        wanted, context = list(dict.fromkeys(pair_ids)), self._store.write_context()

        def job(session: repository.Session) -> int:
            if missing := set(wanted) - repository.known(session, wanted):
                first, more = min(missing), len(missing) - 1
                others = f" nor {counted(more, 'other pair')} of these" if more else ""
                raise NotFound(f"There is no pair {first}{others}; nothing was changed.", "List pairs with: pairs WS")
            now = pair_tags.current(session)
            known = list(dict.fromkeys(tag for tags in now.values() for tag in tags))
            changed: set[int] = set()
            for op, names in ((pair_tags.UNTAG, remove), (pair_tags.TAG, add)):
                for tag in dict.fromkeys(checked_tag(name, known) for name in names):
                    touched = [key for key in wanted if (tag in now.get(key, ())) == (op == pair_tags.UNTAG)]
                    if touched:
                        pair_tags.log(session, context, op, tag, touched, reviewer_id)
                        changed.update(touched)
            return len(changed)

        return Outcome(self._store.write(job, "tagging pairs"), Changes.PAIRS)

    def take_back(
        self, reviewer_id: int, before: Mapping[int, Sequence[str]], after: Mapping[int, Sequence[str]]
    ) -> Outcome[int]:
        """Undo a change of tags in one transaction; what was changed since then stays.

        Args:
            reviewer_id: who does it.
            before: pair -> its tags before the change; pairs without one may be left out.
            after: pair -> its tags after the change, likewise.

        Returns:
            How many pairs have other tags than now.
        """
        context, pairs = self._store.write_context(), sorted({*before, *after})

        def job(session: repository.Session) -> int:
            now, changed = pair_tags.current(session), set[int]()
            for op, given, lacking in ((pair_tags.UNTAG, after, before), (pair_tags.TAG, before, after)):
                touched: dict[str, list[int]] = {}
                for key in pairs:
                    for tag in given.get(key, ()):
                        if tag not in lacking.get(key, ()) and (tag in now.get(key, ())) == (op == pair_tags.UNTAG):
                            touched.setdefault(tag, []).append(key)
                for tag, keys in touched.items():
                    pair_tags.log(session, context, op, tag, keys, reviewer_id)
                    changed.update(keys)
            return len(changed)

        return Outcome(self._store.write(job, "undoing a change of tags"), Changes.PAIRS)

    def set_tags(self, pair_id: int, reviewer_id: int, tags: Sequence[str]) -> Outcome[int]:
        """Give a pair these tags and no others; see :meth:`change`."""
        wanted = {tag.casefold() for tag in tags}
        gone = [tag for tag in self.of(pair_id) if tag.casefold() not in wanted]
        return self.change([pair_id], reviewer_id, add=tags, remove=gone)
