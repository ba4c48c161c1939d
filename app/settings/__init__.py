"""Settings: their rows, their file and their page."""
