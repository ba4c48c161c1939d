"""Reviewers of a workspace."""
