"""Fits what the reader has learned: the parts of abstracts, how far a reading can be trusted."""
