"""The annotate part of the window."""
