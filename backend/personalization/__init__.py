"""Priors that have seen one subject: patches, trained on its pictures, applied to a prior."""
