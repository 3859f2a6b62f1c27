"""Thin mains: what runs when a job is started."""
