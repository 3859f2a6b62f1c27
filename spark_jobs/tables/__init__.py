"""The tables of the lake and the session on them: Hudi, metastore, rule tables, ledger, quarantine."""
