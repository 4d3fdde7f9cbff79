"""The server: it owns jobs, blobs and workers; programs that ask for them only watch."""
