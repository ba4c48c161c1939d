"""Suites: the frozen lists of items that policies are measured on."""
