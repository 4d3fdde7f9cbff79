"""One short module for each system of the literature, reading like its paper's method section."""
