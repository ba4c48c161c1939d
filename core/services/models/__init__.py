"""Base models of a workspace: registration, conversion, export."""
