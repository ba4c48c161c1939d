"""Checkpoints: saving, loading, forking."""
