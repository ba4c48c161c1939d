"""The sign-off of a freeze: somebody other than who labelled last puts a name under it, where the workspace asks so."""

from __future__ import annotations

from core.domain.errors import BadInput
from core.domain.judgement import ReviewerKind
from core.domain.sign_off import SignOff
from core.store import overview, reviewers
from core.store.sqlite.database import Session

SETTING = "freeze.sign_off"


def read(session: Session) -> SignOff:
    """Return whether a freeze needs a sign-off now, who labelled or decided last, and who may sign."""
    editor, away = reviewers.last_editor(session), reviewers.inactive_ids(session)
    people = [one.name for one in reviewers.listed(session) if one.kind is ReviewerKind.HUMAN and one.id not in away]
    wanted = overview.setting(session, SETTING, "") == "on"
    return SignOff(wanted, editor, tuple(name for name in people if name != editor))


def checked(session: Session, name: str) -> SignOff:
    """Return the sign-off under a freeze.

    Args:
        session: of the transaction that freezes.
        name: of who signs; empty for nobody.

    Raises:
        BadInput: a sign-off is needed and none is given, or who signs may not.
    """
    now, name = read(session), name.strip()
    if not name and not now.wanted:
        return SignOff(False, now.editor, ())
    who = f"One of {', '.join(now.people)} can." if now.people else "Add a reviewer who can."
    if not name:
        raise BadInput(
            "This workspace asks for a sign-off by another person before a freeze; nothing was frozen.",
            f"{who} Name who signs, as in --signed-off-by NAME.",
        )
    by_fold = {one.casefold(): one for one in now.people}
    if name.casefold() == now.editor.casefold():
        raise BadInput(f"{now.editor} labelled last and cannot sign it off; nothing was frozen.", who)
    if name.casefold() not in by_fold:
        raise BadInput(f"There is no active person {name!r} who could sign; nothing was frozen.", who)
    return SignOff(now.wanted, now.editor, now.people, by_fold[name.casefold()])
