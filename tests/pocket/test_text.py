"""Caption embeddings of the pinned encoder."""

from pathlib import Path

import pytest
import torch

from backend.pocket.text import (
    ENCODER_SHA256,
    MAX_TOKENS,
    check_hash,
    embed_text,
    encoder_folder,
    tokens_of,
)


def test_the_installed_encoder_is_the_pinned_one() -> None:
    check_hash(encoder_folder() / "model.safetensors", ENCODER_SHA256)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="sha256"):
        check_hash(tmp_path / "model.safetensors", ENCODER_SHA256)


def test_a_text_does_not_depend_on_its_neighbors() -> None:
    alone, _ = embed_text(["a red mug"])
    tokens, mask = embed_text(["a red mug", "a photo of a much longer caption of a thing", ""])
    assert tokens.shape[2] == 384 and mask.dtype == torch.bool
    torch.testing.assert_close(tokens[0, : alone.shape[1]], alone[0])
    assert mask[0].sum() == alone.shape[1] and not mask[2].any()
    assert not tokens[0, alone.shape[1] :].any()


def test_meaning_is_near() -> None:
    def mean(text: str) -> torch.Tensor:
        return torch.nn.functional.normalize(embed_text([text])[0][0].mean(0), dim=0)

    assert mean("a red car") @ mean("a crimson automobile") > mean("a red car") @ mean(
        "a blue fish"
    )


def test_long_texts_are_cut() -> None:
    assert embed_text(["word " * 100])[0].shape[1] == MAX_TOKENS


def test_tokens_of_a_word_are_those_of_its_characters() -> None:
    text = "a dog with a bow tie"
    first, second = tokens_of(text, (13, 16)), tokens_of(text, (17, 20))
    assert len(first) == len(second) == 1 and second[0] == first[0] + 1
    assert tokens_of(text, (13, 20)) == first + second
    assert tokens_of("word " * 100, (480, 484)) == []
