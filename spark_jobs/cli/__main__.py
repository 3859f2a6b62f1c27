"""`python -m spark_jobs.cli`, which `./lake` runs."""

from spark_jobs.cli.main import main

main()
