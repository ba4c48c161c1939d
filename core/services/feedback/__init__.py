"""Feedback: from a file or a keyboard to events, decisions, changesets and consent."""
