"""Settings, stages in order, results that survive a kill."""
