"""The compute backend of Distillery: distils diffusion priors into 3D assets."""

import os

# numba's OpenMP threads would go on spinning beside torch's after each kernel and take its cores:
# a small step then costs ten times as much. Its own work queue sleeps. Read when numba is imported.
os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")
