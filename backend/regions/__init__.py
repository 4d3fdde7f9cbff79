"""Regions: a weight per primitive, where it comes from, and the guarantee that it gives."""
