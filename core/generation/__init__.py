"""Sampling responses, and the interface of a policy with its reference."""
