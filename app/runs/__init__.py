"""The runs part of the window."""
