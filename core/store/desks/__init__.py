"""Workspaces that were opened from a review bundle: what they sent back, verified and merged."""
