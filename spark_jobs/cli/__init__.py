"""The command line, `./lake`."""
