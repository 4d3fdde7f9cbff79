"""Diffusion priors behind one interface: checkpoints of diffusers, the oracle, the pocket prior."""
