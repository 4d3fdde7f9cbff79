"""From whatever a network predicts to (x0, eps): the same information in other words.

All functions take the noisy latents z = alpha x0 + sigma eps (variance preserving) and alpha,
sigma that multiply them; all return (x0, eps).
"""

from torch import Tensor

# Divisions by alpha or sigma at the very ends of the process stay finite.
SMALLEST = 1e-6


def from_eps(noisy: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """The network predicts the noise (DDPM)."""
    return (noisy - sigma * eps) / alpha.clamp_min(SMALLEST), eps


def from_x0(noisy: Tensor, x0: Tensor, alpha: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """The network predicts the clean latents."""
    return x0, (noisy - alpha * x0) / sigma.clamp_min(SMALLEST)


def from_v(noisy: Tensor, v: Tensor, alpha: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """The network predicts v = alpha eps - sigma x0 (Salimans & Ho 2022)."""
    return alpha * noisy - sigma * v, sigma * noisy + alpha * v


def from_flow(
    noisy: Tensor, velocity: Tensor, alpha: Tensor, sigma: Tensor
) -> tuple[Tensor, Tensor]:
    """The network predicts u = eps - x0 on straight paths (1 - s) x0 + s eps (rectified flow).

    The network is to be asked with ``flow_input(noisy, alpha, sigma)``.
    """
    straight, s = flow_input(noisy, alpha, sigma)
    return straight - s * velocity, straight + (1 - s) * velocity


def flow_input(noisy: Tensor, alpha: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Latents and time s on the straight path that has the same ratio of signal to noise."""
    total = alpha + sigma
    return noisy / total, sigma / total


def from_edm(
    noisy: Tensor, output: Tensor, alpha: Tensor, sigma: Tensor, data_deviation: float = 0.5
) -> tuple[Tensor, Tensor]:
    """The network's raw output F in D = c_skip z + c_out F (Karras et al. 2022, table 1).

    z = noisy / alpha there, with noise of deviation sigma / alpha.
    """
    ratio = sigma / alpha.clamp_min(SMALLEST)
    total = ratio**2 + data_deviation**2
    skip = data_deviation**2 / total
    x0 = skip * noisy / alpha.clamp_min(SMALLEST) + ratio * data_deviation / total.sqrt() * output
    return from_x0(noisy, x0, alpha, sigma)
