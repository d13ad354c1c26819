"""The maths of predictions: pure functions, no Dagster, no I/O."""
