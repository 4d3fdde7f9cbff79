"""Half precision is used where a machine multiplies in it, and nowhere else."""

from collections.abc import Iterator

import pytest
import torch

from backend.pocket.precision import CPU, half_precision, has_bfloat16


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    has_bfloat16.cache_clear()
    yield
    has_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("found", "half"),
    [({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"avx2": True}, False)],
)
def test_a_cpu_without_products_in_bfloat16_keeps_all_digits(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, bool], half: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    ones = torch.ones(2, 2)
    with half_precision():
        assert (ones @ ones).dtype == (torch.bfloat16 if half else torch.float32)
    with half_precision(CPU, enabled=False):
        assert (ones @ ones).dtype == torch.float32
