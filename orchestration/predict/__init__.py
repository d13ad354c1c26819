"""Predictions: pure models on arrays and frames, one module each. Not where their input comes from, nor where their results are kept."""
