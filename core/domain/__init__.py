"""Frozen values and pure functions of the standard library: the words everything else speaks."""
