"""The theme part of the window."""
