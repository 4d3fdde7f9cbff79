"""The command line: a client of the server, or a run of its own where there is none."""
