"""Generating pairs for labelling: what is asked for, what became of it, and how it lands in the workspace."""
