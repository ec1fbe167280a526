"""Figures and the report that people read."""
