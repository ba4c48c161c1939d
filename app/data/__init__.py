"""The data part of the window."""
