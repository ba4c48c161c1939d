"""Talks: a child process holds policy, reference and another run, and answers token by token."""
