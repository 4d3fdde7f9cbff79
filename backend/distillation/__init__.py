"""Score distillation: losses from a prior's score, regularizers, sampling of views, the loop."""
