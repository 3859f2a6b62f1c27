#!/bin/sh
# Writes the jobs' code to stdout as an archive; the same code gives the same bytes. To be called in the checkout. The simulator is
# for `lake simulate`; the script `lake` comes last, and is there only if all others are.
exec tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u=rwX,go=rX \
    --exclude=__pycache__ -cf - hive_ddl metadata_tables spark_jobs tests/__init__.py tests/reconcile.py tests/simulator tests/bench lake
