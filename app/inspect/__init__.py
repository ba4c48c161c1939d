"""The inspect part of the window."""
