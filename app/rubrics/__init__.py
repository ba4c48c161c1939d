"""The rubrics part of the window."""
