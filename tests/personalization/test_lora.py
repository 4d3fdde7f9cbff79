"""LoRA: no change at first, a shared network, the prior's own bits kept, its state carried."""

from dataclasses import replace

import torch
from diffusers import UNet2DConditionModel

from backend.diffusion.schedules import DiscreteSchedule
from backend.personalization.lora import Lora
from backend.personalization.patch import applied, twin_network
from backend.priors.base import Condition, Prior
from backend.priors.pocket import PocketPrior
from backend.priors.stable_diffusion import StableDiffusionPrior


def lora(prior: Prior, rank: int = 4) -> Lora:
    return Lora(prior, torch.Generator().manual_seed(1), rank)


def shaken(patch: Lora) -> Lora:
    """As if it had been trained."""
    generator = torch.Generator().manual_seed(2)
    state = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in patch.state().items()
    }
    patch.load_state(state)
    return patch


@torch.no_grad()
def answer(prior: Prior) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    noisy = torch.randn(1, 2, *prior.spec.latent, generator=generator)
    text = prior.embed_text(["a thing"])
    return prior.predict(noisy, torch.full((1, 2), 0.5), Condition(text)).x0


def test_at_first_it_changes_nothing_and_then_something(prior: PocketPrior) -> None:
    before = answer(prior)
    patch = lora(prior)
    assert torch.equal(answer(applied(patch)), before)
    assert not torch.allclose(answer(applied(shaken(patch))), before, atol=1e-3)


def test_the_prior_keeps_its_bits_its_modules_and_its_answers(prior: PocketPrior) -> None:
    kept = {name: value.clone() for name, value in prior.network.state_dict().items()}
    before = answer(prior)
    personal = applied(shaken(lora(prior)))
    answer(personal)
    found = prior.network.state_dict()
    assert found.keys() == kept.keys()
    assert all(torch.equal(found[name], value) for name, value in kept.items())
    assert torch.equal(answer(prior), before)
    assert personal is not prior and personal.spec.latent == prior.spec.latent


def test_only_low_rank_products_are_trained_and_the_rest_is_shared(prior: PocketPrior) -> None:
    patch = lora(prior, rank=3)
    (group,) = patch.parameter_groups().values()
    assert all(3 in weight.shape for weight in group)
    # Of a block: qkv, out, two of the MLP, two films; of ten convolutional blocks one film;
    # of the summary film and out; and what reads the words.
    assert len(group) == 2 * (6 * len(prior.network.blocks) + 10 + 2 + 2)
    assert all(weight.requires_grad for weight in group)
    shared = {weight.data_ptr() for weight in prior.network.parameters()}
    rest = [weight for weight in patch.network.parameters() if not weight.requires_grad]
    assert {weight.data_ptr() for weight in rest} == shared


def test_the_change_is_b_times_a(prior: PocketPrior) -> None:
    patch = shaken(lora(prior))
    state = patch.state()
    name = next(name for name in state if ".out." in name and ".lora_A" in name)
    a, b = state[name], state[name.replace("lora_A", "lora_B")]
    x = torch.randn(5, a.shape[1])
    base = prior.network.blocks[0].out
    layer = patch.network.blocks[0].out
    assert torch.allclose(layer(x), base(x) + x @ a.T @ b.T, atol=1e-5)


def test_the_fingerprint_is_of_prior_and_patch(prior: PocketPrior) -> None:
    patch = lora(prior)
    first = applied(patch).spec
    second = applied(shaken(patch)).spec
    assert len({prior.spec.fingerprint, first.fingerprint, second.fingerprint}) == 3
    assert applied(patch).spec == second
    assert second.name == "pocket + lora" and second.capabilities == prior.spec.capabilities


def test_the_seed_alone_decides_where_it_begins(prior: PocketPrior) -> None:
    torch.manual_seed(10)
    first = lora(prior).state()
    torch.manual_seed(11)
    second = lora(prior).state()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_u_net_of_diffusers_is_patched_in_its_attention(prior: PocketPrior) -> None:
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, cross_attention_dim=16,
        attention_head_dim=4, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    ).requires_grad_(False)
    schedule, parts = DiscreteSchedule.scaled_linear(), (None, None, None)
    spec = replace(prior.spec, name="tiny")
    patch = lora(StableDiffusionPrior(spec, schedule, unet, *parts, torch.device("cpu")))
    assert all(".attn" in name for name in patch.state())
    inputs = (torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 3, 16))
    with torch.no_grad():
        before = unet(*inputs).sample
        assert torch.equal(patch.network(*inputs).sample, before)
        shaken(patch)
        assert not torch.allclose(patch.network(*inputs).sample, before, atol=1e-3)
        assert torch.equal(unet(*inputs).sample, before)


def test_a_twin_has_modules_of_its_own_over_the_same_weights(prior: PocketPrior) -> None:
    twin = twin_network(prior.network)
    twin.blocks[0].out = torch.nn.Identity()
    assert isinstance(prior.network.blocks[0].out, torch.nn.Linear)
    assert twin.blocks[1].out.weight is prior.network.blocks[1].out.weight
