"""Deformation: of meshes by Jacobians and handles, and of any points in time."""
