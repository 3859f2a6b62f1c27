"""The way of a zip's bytes: landed by the agent, claimed by the ingest job, kept in the vault."""
