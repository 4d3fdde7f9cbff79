"""Training examples, drawn from (seed, step): sets of views of random scenes with their words."""

from backend.pocket.data.batches import Batch, Sample
from backend.pocket.data.mixture import EXAMPLES, FINE_TUNES, STAGES, Mixture, draw_batch, shares_of
from backend.pocket.data.pictures import draw_light
from backend.pocket.data.prefetch import Prefetcher, share_seed
from backend.pocket.data.shots import Shot

__all__ = [
    "EXAMPLES", "FINE_TUNES", "STAGES", "Batch", "Mixture", "Prefetcher", "Sample", "Shot",
    "draw_batch", "draw_light", "share_seed", "shares_of",
]  # fmt: skip
