"""The Rubrics page."""
