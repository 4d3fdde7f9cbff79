"""Data in and out: assets of the backend become meshes, images, materials and objects."""
