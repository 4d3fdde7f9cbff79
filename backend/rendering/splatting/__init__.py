"""Gaussian splatting: projection of Gaussians, their compositing, and both ways of gradients."""

from backend.rendering.splatting.splat import Splatted, splat

__all__ = ["Splatted", "splat"]
