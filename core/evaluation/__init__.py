"""Metrics, KL, statistics. Pure functions over tensors and rows."""
