"""Turns what was read of studies into effect sizes, or says why that is not possible."""
