"""The demo workspace: how it was made, how it is opened, and the whole loop on it without a screen."""
