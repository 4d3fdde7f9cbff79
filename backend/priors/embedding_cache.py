"""Embeddings of prompts, kept on disk so that a text encoder need not run (or load) twice."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from backend.priors.base import TextEmbedding
from protocol.folders import cache_folder


@dataclass(frozen=True)
class EmbeddingCache:
    """``encoder``: a hash of everything that decides an embedding but the prompt (weights,
    tokenizer). A damaged file is made anew; a folder that cannot be written is done without.
    """

    encoder: str
    folder: Path = field(default_factory=lambda: cache_folder() / "embeddings")

    def embed(
        self, prompts: list[str], compute: Callable[[str], TextEmbedding]
    ) -> TextEmbedding:
        """One row a prompt, each computed alone, so that it does not depend on its neighbors."""
        return TextEmbedding.join([self._embed_one(prompt, compute) for prompt in prompts])

    def _embed_one(self, prompt: str, compute: Callable[[str], TextEmbedding]) -> TextEmbedding:
        digest = hashlib.sha256(f"{self.encoder}\n{prompt}".encode()).hexdigest()
        path = self.folder / f"{digest[:40]}.safetensors"
        try:
            stored = load_file(path)
            return TextEmbedding(stored["tokens"], stored["mask"])
        except (OSError, SafetensorError, KeyError):
            embedding = compute(prompt)
            self._write(path, embedding)
            return embedding

    def _write(self, path: Path, embedding: TextEmbedding) -> None:
        partial = path.with_suffix(f".{os.getpid()}.partial")
        tensors = {"tokens": embedding.tokens, "mask": embedding.mask}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, partial)
            partial.replace(path)
        except OSError:
            with suppress(OSError):
                partial.unlink()
