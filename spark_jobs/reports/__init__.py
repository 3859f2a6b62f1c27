"""Editions of reports as files that people read: what is in one, and how it is written as CSV, Excel, HTML and PDF.

Nothing here knows of Spark or of a lake: an `Edition` comes in, files go out. The same edition gives the same bytes.
"""

import os

from spark_jobs.site import ENVIRONMENT

# Where matplotlib notes the fonts that it found; said before anything imports it. A home folder is none of its business.
os.environ.setdefault("MPLCONFIGDIR", str(ENVIRONMENT / "matplotlib"))
