"""Measures of policies as pure functions from numbers to estimates.

They need scipy, statsmodels and scikit-learn, which take seconds to load: the evaluator and the commands that measure
import them, the window never does.
"""
