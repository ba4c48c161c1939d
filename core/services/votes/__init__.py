"""Votes: people say blind which of two arms of an evaluation answers better."""
