"""Editions of reports as files that people read: what is in one, and how it is written as CSV, Excel, HTML and PDF.

Nothing here knows of Spark or of a lake: an `Edition` comes in, files go out. The same edition gives the same bytes.
"""
