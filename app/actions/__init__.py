"""The actions part of the window."""
