"""The use-cases; the only thing the window and the command line call."""
