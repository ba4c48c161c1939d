"""A judge model that compares answers of two policies over an endpoint, and what is known of its validity."""
