"""Sampling answers, and what every layer needs of a causal language model."""
