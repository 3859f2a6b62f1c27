"""One batch from its manifest to its end: parse, judge, write, account."""
