"""The main_window part of the window."""
