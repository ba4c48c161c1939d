"""Deciding disagreements: which pairs are in conflict, and what was decided of them."""
