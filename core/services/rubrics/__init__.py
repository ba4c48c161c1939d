"""Rubrics: drafts, published versions, YAML."""
