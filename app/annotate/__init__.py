"""The page where pairs are labelled."""
