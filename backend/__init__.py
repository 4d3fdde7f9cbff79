"""The compute backend of Distillery: distils diffusion priors into 3D assets."""

import os

# Threads that wait should sleep, not spin: Blender and other jobs want the same cores. Read when
# torch and numba are first imported. numba's OpenMP threads spin beside torch's whatever they are
# told, and a small step then costs ten times as much; its own work queue sleeps.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")
