"""The train part of the window."""
