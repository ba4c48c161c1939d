"""Agreement of reviewers, what is known of each, and whether the counts add up."""
