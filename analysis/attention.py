"""How much more a network looks at the lesion than at the skin around it, after Tschandl et al. 2020.

Human-computer collaboration for skin cancer recognition, Nature Medicine 26, doi:10.1038/s41591-020-0942-0, Extended
Data Fig. 1: over all HAM10000 images, the Grad-CAM of a ResNet-34 for its most probable class; the mean activation of a
background pixel over that of a lesion pixel was 0.48 where the network said akiec, and 0.32 elsewhere.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from PIL import Image

from analysis.audit_reader import Audit
from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.localisation import background_to_lesion
from analysis.predictions import MAP_COLUMN, class_maps, probabilities
from model.masks import read_mask
from model.splits import with_merged_lesions

PUBLISHED = {"akiec": 0.48, "others": 0.32}
SINGLED_OUT = "akiec"


def attention_ratios(
    table: pd.DataFrame, cases: pd.DataFrame, classes: tuple[str, ...], on_progress: Callable[[int], None] | None = None
) -> pd.DataFrame:
    """The background-to-lesion ratio of every case of `table` that has a mask in `cases`.

    `table` are stored predictions with Grad-CAM maps of every class; `cases` has image_id and mask_path. Gives
    image_id, lesion_id, `said` (the most probable class) and `ratio` (`background_to_lesion`). The map is that of
    the most probable class, enlarged bilinearly to the mask's size, and only what is positive counts.
    """
    masks = cases.dropna(subset="mask_path").set_index("image_id")["mask_path"]
    known = table[table["image_id"].isin(masks.index)]
    said = np.array(classes)[probabilities(known, classes).argmax(axis=1)]
    ratios = []
    for done, (image_id, stored, code) in enumerate(zip(known["image_id"], known[MAP_COLUMN], said, strict=True), 1):
        mask = read_mask(masks[image_id])
        height, width = mask.shape
        heat = Image.fromarray(class_maps(stored, classes)[code]).resize((width, height), Image.Resampling.BILINEAR)
        ratios.append(background_to_lesion(np.asarray(heat), mask))
        if on_progress is not None:
            on_progress(done)
    return known[["image_id", "lesion_id"]].assign(said=said, ratio=ratios)


def audited_ratios(audit: Audit, cases: pd.DataFrame, on_progress: Callable[[int], None] | None = None) -> pd.DataFrame:
    """The same of every case of an audit, which may be all of a data set's, as in the paper; raises AuditError.

    The maps are left in the steps in which they are stored: a ratio has no scale.
    """
    classes = audit.manifest.classes
    table = audit.table(["image_id", "lesion_id", *(f"probability_{code}" for code in classes), MAP_COLUMN])
    return attention_ratios(with_merged_lesions(table), cases, classes, on_progress)


def attention(ratios: pd.DataFrame) -> dict[str, Estimate]:
    """The mean ratio, with its 95 % interval over lesions, where the network says akiec, and elsewhere ("others").

    It is over the `bounded` ratios.
    """
    defined = ratios[bounded(ratios)]
    groups = {
        SINGLED_OUT: defined[defined["said"] == SINGLED_OUT],
        "others": defined[defined["said"] != SINGLED_OUT],
    }
    return {name: _mean(group) for name, group in groups.items()}


def bounded(ratios: pd.DataFrame) -> pd.Series:
    """Which cases have a ratio to take a mean with: not those whose map has nothing positive in the lesion."""
    return pd.Series(np.isfinite(ratios["ratio"]), index=ratios.index)


def _mean(group: pd.DataFrame) -> Estimate:
    if group.empty:
        return Estimate(float("nan"), float("nan"), float("nan"))
    weights = lesion_weights(group["lesion_id"]).astype(np.float64)
    return estimate(weights @ group["ratio"].to_numpy(np.float64) / weights.sum(axis=1))
