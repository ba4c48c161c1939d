"""Tables of schema 2 that keep what was derived from the texts: keys of prompts, and flags of pairs.

Both could be computed from the texts at any time; a freeze of 200,000 pairs reads them instead of every text. A pair
without a row has no flag.
"""

from __future__ import annotations

TEXTS: tuple[str, ...] = (
    """CREATE TABLE prompt_key(
        prompt_id INTEGER PRIMARY KEY REFERENCES prompt(id),
        same INTEGER NOT NULL,
        words INTEGER NOT NULL) STRICT""",
    """CREATE TABLE pair_flag(
        pair_id INTEGER PRIMARY KEY REFERENCES pair(id),
        flags INTEGER NOT NULL CHECK(flags>0)) STRICT""",
)
