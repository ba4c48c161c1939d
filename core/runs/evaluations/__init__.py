"""Evaluations: folders that the evaluator writes and anyone watches; they share the rooms of runs."""
