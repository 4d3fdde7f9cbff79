"""What a running recipe is handed: device, noise, priors, and stages that are kept."""

from backend.studio.progress import Progress
from backend.studio.studio import Checkpointable, Studio

__all__ = ["Checkpointable", "Progress", "Studio"]
