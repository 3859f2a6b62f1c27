"""Opens zips safely: nothing that a zip declares is trusted, nothing is written to disk, every loop has a bound.

entries = open_zip(content, limits)              # raises ZipError: the whole zip is quarantined
data = inflate(content, entries[0], limits)      # raises ArchiveError: that member alone is quarantined
with open_member(content, entries[1], limits) as stream: ...   # the same for members too large for memory
"""

from spark_jobs.archives.directory import Entry, ZipError, open_zip
from spark_jobs.archives.members import check_member, inflate
from spark_jobs.archives.streams import open_member

__all__ = ["Entry", "ZipError", "check_member", "inflate", "open_member", "open_zip"]
