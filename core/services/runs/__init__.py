"""Runs: preflight, start, control, views, lineage, insights."""
