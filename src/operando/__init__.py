"""Where the lithium is and where the current flows, inside a working battery."""

__version__ = "0.1.0"
