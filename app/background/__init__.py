"""The background part of the window."""
