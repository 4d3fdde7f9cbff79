"""Editing what is there: the pictures that it is fitted to, and who edits them."""
