"""SQLAlchemy engines on our own connections, which share what SQLAlchemy learns and compiles.

On a small file a statement takes longer to compile than to run. An engine that ``create_engine`` makes has a dialect
and a cache of compiled statements of its own: readers would compile again what the writer has compiled, and each
workspace that is opened would begin from nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import Pool, QueuePool, StaticPool
from sqlalchemy.util import LRUCache

_STATEMENTS = 1000
"""Compiled statements that are kept; the program has about 300."""


def writing_engine(creator: Callable[[], Any]) -> Engine:
    """Return an engine on the one connection that ``creator`` hands out."""
    return _engine(StaticPool(creator, dialect=_pattern().dialect))


def reading_engine(creator: Callable[[], Any]) -> Engine:
    """Return an engine with a pool of the connections that ``creator`` makes."""
    return _engine(QueuePool(creator, pool_size=4, max_overflow=28, dialect=_pattern().dialect))


def _engine(pool: Pool) -> Engine:
    pattern = _pattern()
    options = {"compiled_cache": _compiled()}
    return Engine(pool, pattern.dialect, pattern.url, hide_parameters=True, execution_options=options)


@cache
def _pattern() -> Engine:
    """Return an engine whose dialect knows this SQLite: it has connected once, to a database in memory."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect():
        pass
    engine.dispose()
    return engine


@cache
def _compiled() -> LRUCache[Any, Any]:
    return LRUCache(_STATEMENTS)
