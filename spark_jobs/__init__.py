"""Carelake: rule-driven ingest of care facilities' zips into Hudi tables."""
