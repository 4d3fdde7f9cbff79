from pathlib import Path

import pytest
import torch

from backend.priors.base import TextEmbedding
from backend.priors.embedding_cache import EmbeddingCache


class Encoder:
    """Embeds a prompt as one token a word, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> TextEmbedding:
        self.asked.append(prompt)
        words = prompt.split()
        tokens = torch.tensor([[[float(len(word))] for word in words]])
        return TextEmbedding(tokens, torch.ones(1, len(words), dtype=torch.bool))


def test_a_prompt_is_embedded_once(tmp_path: Path) -> None:
    first, second = Encoder(), Encoder()
    made = EmbeddingCache("v1", tmp_path).embed(["a red cube", "dogs"], first)
    kept = EmbeddingCache("v1", tmp_path).embed(["a red cube", "dogs"], second)
    assert torch.equal(made.tokens, kept.tokens)
    assert torch.equal(made.mask, kept.mask)
    assert made.mask.tolist() == [[True, True, True], [True, False, False]]
    assert (first.asked, second.asked) == (["a red cube", "dogs"], [])


def test_another_encoder_is_asked_anew(tmp_path: Path) -> None:
    encoder = Encoder()
    for version in ("v1", "v2", "v2"):
        EmbeddingCache(version, tmp_path).embed(["dogs"], encoder)
    assert encoder.asked == ["dogs", "dogs"]


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 9])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    encoder, cache = Encoder(), EmbeddingCache("v1", tmp_path)
    whole = cache.embed(["dogs"], encoder)
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    assert torch.equal(cache.embed(["dogs"], encoder).tokens, whole.tokens)
    cache.embed(["dogs"], encoder)
    assert encoder.asked == ["dogs", "dogs"]


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    embedding = EmbeddingCache("v1", blocked / "below").embed(["dogs"], Encoder())
    assert embedding.tokens.flatten().tolist() == [4.0]
