"""Backups as files: contents by their SHA-256, and for each backup what lay where. Knows neither lakes nor Spark."""
