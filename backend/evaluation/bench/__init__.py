"""Benchmarks of recipes: fixed held-out cases by task, made, kept, measured and summed up."""
