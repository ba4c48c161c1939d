"""The widgets part of the window."""
