"""The demo workspace: building it, opening it, and running the whole loop without a window."""
