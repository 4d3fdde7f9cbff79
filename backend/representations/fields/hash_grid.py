"""A hash grid under a small network (Instant-NGP, section 3), in plain torch for any device."""

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import embedding

from backend.representations.fields.base import DensityActivation, DensityBias, magic3d_blob
from backend.representations.fields.network import NetworkField

# The spatial hash's factors (Instant-NGP, equation 4); the first axis keeps its coherence.
FACTORS = (1, 2654435761, 805459861)


class HashField(NetworkField):
    """``levels`` grids of geometrically growing resolution, ``features`` numbers a node.

    Nodes of levels with more than ``2**log_table`` of them share the table's rows by a hash.
    """

    def __init__(
        self,
        levels: int = 16,
        features: int = 2,
        log_table: int = 19,
        coarsest: int = 16,
        finest: int = 2048,
        width: int = 64,
        density_activation: DensityActivation = "softplus",
        density_bias: DensityBias | None = magic3d_blob,
    ) -> None:
        super().__init__(density_activation, density_bias)
        growth = (finest / coarsest) ** (1 / max(levels - 1, 1))
        self.resolutions = [round(coarsest * growth**level) for level in range(levels)]
        sizes = [min((cells + 1) ** 3, 1 << log_table) for cells in self.resolutions]
        self.tables = nn.ParameterList(
            torch.empty(n, features).uniform_(-1e-4, 1e-4) for n in sizes
        )
        self.network = nn.Sequential(
            nn.Linear(levels * features, width), nn.ReLU(), nn.Linear(width, 4)
        )

    def raw(self, points: Tensor, variances: Tensor | None) -> Tensor:
        """See :class:`NetworkField`."""
        encoded = [
            _encode(points, table, cells)
            for table, cells in zip(self.tables, self.resolutions, strict=True)
        ]
        values: Tensor = self.network(torch.cat(encoded, 1))
        return values

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """Two groups, "grid" and "network": tables want a rate ten times as high."""
        return {"grid": list(self.tables), "network": list(self.network.parameters())}


def _encode(points: Tensor, table: Tensor, cells: int) -> Tensor:
    """Trilinear blend (n, features) of the eight nodes around each point."""
    place = (points + 1) * (cells / 2)
    low = place.detach().floor().clamp(0, cells - 1).long()
    fraction = place - low
    corners = torch.cartesian_prod(*(torch.arange(2, device=points.device),) * 3)
    nodes = low[:, None] + corners
    weights = torch.where(corners.bool(), fraction[:, None], 1 - fraction[:, None]).prod(-1)
    rows = embedding(node_rows(nodes, cells, len(table)), table)
    return (weights[..., None] * rows).sum(1)


def node_rows(nodes: Tensor, cells: int, size: int) -> Tensor:
    """The table row of each node (..., 3): one of its own where they fit, else hashed."""
    x, y, z = nodes.unbind(-1)
    if (cells + 1) ** 3 <= size:
        return (x * (cells + 1) + y) * (cells + 1) + z
    return (x * FACTORS[0] ^ y * FACTORS[1] ^ z * FACTORS[2]) % size
