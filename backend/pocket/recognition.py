"""The recognition network: which kind of the world a picture shows.

Priors that draw from a picture are told of it twice: by its pixels, and by what CLIP sees in it
(Zero-1-to-3, section 3.2; Wonder3D, section 4.2). The pocket prior was trained with words beside
pictures, so for it the second is the plainest caption of what this network recognizes.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.pocket.vocabulary import WORLD, Vocabulary
from backend.pocket.world import Description, caption

FILL = 0.75
"""What part of the frame the longer side of a recognized object takes."""
CERTAIN = 0.5
"""From which probability on a kind counts as recognized."""


@dataclass(frozen=True)
class RecognitionConfig:
    """Channels of the last convolutions; those before have fewer."""

    width: int = 160

    def to_dict(self) -> dict[str, object]:
        """For a config.json."""
        return asdict(self)


class RecognitionNetwork(nn.Module):
    """Convolutions over a cut-out picture, and a linear reading of what they leave."""

    def __init__(
        self, config: RecognitionConfig = RecognitionConfig(), vocabulary: Vocabulary = WORLD
    ) -> None:
        super().__init__()
        self.config, self.vocabulary = config, vocabulary
        self.layers = convolutions(4, config.width)
        self.reading = nn.Linear(config.width * 16, len(vocabulary.kinds))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of kinds (N, kinds) of pictures (N, 4, 64, 64) in [-1, 1], RGB over mid-gray and
        alpha; where and how large the object is does not matter."""
        found: Tensor = self.reading(self.layers(centered(images)).flatten(1))
        return found

    def recognize(self, images: Tensor) -> list[str]:
        """The plainest caption of each of such pictures, empty where its kind is not certain."""
        shares, kinds = self(images).softmax(1).max(1)
        return [
            caption(Description(self.vocabulary.kinds[kind])) if share >= CERTAIN else ""
            for share, kind in zip(shares.tolist(), kinds.tolist(), strict=True)
        ]


def convolutions(channels: int, width: int) -> nn.Sequential:
    """Seven convolutions, which leave ``width`` channels at 4 x 4 of pictures of 64 x 64."""
    middle = round(0.7 * width / 8) * 8
    plan = (
        (channels, 32, 2), (32, 64, 1), (64, 64, 2), (64, middle, 1), (middle, middle, 2),
        (middle, width, 1), (width, width, 2),
    )
    layers: list[nn.Module] = []
    for inputs, outputs, stride in plan:
        layers += [
            nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(8, outputs), nn.SiLU(),
        ]
    return nn.Sequential(*layers)


def centered(images: Tensor) -> Tensor:
    """Cut-out pictures (N, 4, 64, 64) with the object moved to the middle, and made so large that
    its longer side takes ``FILL`` of the frame."""
    solid = images[:, 3] > 0
    left, right = _extent(solid.any(1))
    top, bottom = _extent(solid.any(2))
    theta = images.new_zeros(len(images), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.maximum(right - left, bottom - top) / FILL
    theta[:, 0, 2], theta[:, 1, 2] = left + right - 1, top + bottom - 1
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    # Outside of a picture is what its background is: gray, which is 0, and no alpha, which is -1.
    shifted = torch.cat([images[:, :3], images[:, 3:] + 1], 1)
    moved = F.grid_sample(shifted, grid, align_corners=False)
    return torch.cat([moved[:, :3], moved[:, 3:] - 1], 1)


def _extent(solid: Tensor) -> tuple[Tensor, Tensor]:
    """Where rows or columns (N, size) that hold something begin and end, in [0, 1]; all of them
    where nothing does."""
    size = solid.shape[1]
    empty = ~solid.any(1)
    begin = solid.float().argmax(1).masked_fill(empty, 0)
    end = size - solid.flip(1).float().argmax(1).masked_fill(empty, 0)
    return begin / size, end / size
