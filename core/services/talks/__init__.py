"""Talks with a policy beside its reference or another run: sides, votes, pairs and failures made of them."""
