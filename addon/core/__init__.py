"""The client of the backend as plain Python: no Blender, clock and transport handed in."""
