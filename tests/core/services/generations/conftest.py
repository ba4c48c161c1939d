"""A workspace with a trained run of a tiny model."""

from __future__ import annotations

from tests.core.runs.evaluations.conftest import trained_run

__all__ = ["trained_run"]
