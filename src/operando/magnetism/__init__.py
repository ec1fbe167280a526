"""Magnetic fields of a cell, the nitrogen-vacancy sensor that sees them, and the way back to their sources."""
