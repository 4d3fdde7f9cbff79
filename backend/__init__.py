"""The compute backend of Distillery: distils diffusion priors into 3D assets."""
