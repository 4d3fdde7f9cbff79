"""What is optimized: volumes, Gaussians, signed distances, meshes."""
