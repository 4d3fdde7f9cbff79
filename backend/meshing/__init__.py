"""From a density to a textured mesh and its files."""
