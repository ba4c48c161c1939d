"""Bringing what is readable of a damaged workspace file into a new workspace."""
