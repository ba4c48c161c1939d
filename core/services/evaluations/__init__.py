"""Evaluations: what is evaluated on what by whom, and the evidence."""
