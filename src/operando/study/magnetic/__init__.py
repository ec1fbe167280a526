"""The magnetic road of a study: from spectra or a field map to current or magnetisation."""
