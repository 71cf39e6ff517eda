"""Bundles that look like folds of one model, for what needs an ensemble whatever is shipped."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
from safetensors.numpy import load_file, save_file

from model.bundle import WEIGHTS_FILE, ModelBundle, write_card


def two_folds(bundle: ModelBundle, folder: Path, count: int = 2) -> Path:
    """Write `count` folds into `folder` and give the first: `bundle` itself, and it with other weights of its head."""
    folder.mkdir(exist_ok=True)
    for fold in range(count):
        path = copytree(bundle.path, folder / f"toy_lesion_fold{fold}_{bundle.card.size}px")
        write_card(path, replace(bundle.card, name=path.name))
        if fold > 0:
            weights = load_file(path / WEIGHTS_FILE)
            kernel = weights["logits/kernel"]
            noise = np.random.default_rng(fold).normal(1, 0.5, kernel.shape)
            save_file({**weights, "logits/kernel": (kernel * noise).astype(kernel.dtype)}, path / WEIGHTS_FILE)
    return folder / f"toy_lesion_fold0_{bundle.card.size}px"
