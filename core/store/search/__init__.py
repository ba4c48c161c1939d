"""Searching the texts of pairs: an index beside the database that can be deleted at any time, and the search itself."""
