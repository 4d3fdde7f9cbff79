"""Cameras, rays, volume rendering, splatting, rasterizing and shading."""
