"""Refusal detectors: how right they are on labelled answers, and training them again."""
