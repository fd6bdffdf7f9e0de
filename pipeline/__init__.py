"""Evipool: from a PubMed query to a pooled estimate that stays current."""

__version__ = "0.1.0"
