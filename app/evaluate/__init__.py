"""Evaluate: what a policy is worth against its reference: evaluations, evidence, items, failures, gate."""
