"""Generated views: drawing them from a prior, and reconstructing what they show."""
