"""Caption embeddings of the pinned encoder."""

from pathlib import Path

import pytest
import torch

from backend.pocket.text import ENCODER_SHA256, check_hash, embed_text, encoder_folder


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
    assert embed_text(["word " * 100])[0].shape[1] == 24
