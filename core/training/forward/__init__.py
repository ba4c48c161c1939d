"""Forward passes that give log-probs of responses, from the plain padded one to the fused ones."""
