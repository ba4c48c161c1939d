"""The truth gate: checks on real pairs before the first step."""
