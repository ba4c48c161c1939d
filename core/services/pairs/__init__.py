"""Pairs: lists, filters, one pair in full."""
