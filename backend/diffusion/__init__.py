"""Noise schedules, conversions between predictions, guidance and samplers."""
