"""Compares readings with gold records: what is right, missed or invented, field by field."""
