"""The version of Pairwright: the only place that states it; the build and every display read it from here."""

from __future__ import annotations

VERSION = "0.2.0"
