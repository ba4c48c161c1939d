"""Generations: folders in which models answer prompts in pairs."""
