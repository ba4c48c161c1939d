"""Qualification of reviewers: quizzes of gold items, and what is worth practising."""
