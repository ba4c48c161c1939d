"""Metrics, KL, statistics and insights: pure functions over tensors and rows."""
