"""Thresholds of guardrails and of automatic acceptance."""
