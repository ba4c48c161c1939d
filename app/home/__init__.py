"""The home part of the window."""
