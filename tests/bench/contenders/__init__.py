"""The contenders of `lake bench ingest`, a module each, run as `python -m` in a process of its own by `serving.serve`."""
