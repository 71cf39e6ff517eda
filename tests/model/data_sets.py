"""Small data sets of synthetic phantoms on disk, in the three layouts that LesionLens reads."""

from functools import cache
from pathlib import Path

import pandas as pd
from PIL import Image

from model.classes import CODES
from model.phantoms import Phantom, phantom


@cache
def picture(seed: int) -> Phantom:
    return phantom(seed, height=48, width=64)


def save_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed).image).save(path)


def metadata() -> pd.DataFrame:
    """21 images of 14 lesions: of each diagnosis one lesion with two images and one with a single image."""
    rows = [
        {
            "lesion_id": f"HAM_{number * 2 + (image == 2):07d}",
            "image_id": f"ISIC_{number * 3 + image:07d}",
            "dx": code,
            "dx_type": "histo",
            "age": 40.0 + number,
            "sex": "female",
            "localization": "back",
        }
        for number, code in enumerate(CODES)
        for image in range(3)
    ]
    return pd.DataFrame(rows)


def write_ham10000(root: Path, table: pd.DataFrame | None = None, masks: bool = True) -> Path:
    """The Kaggle and Dataverse layout: images in two folders, and a folder of masks."""
    table = metadata() if table is None else table
    root.mkdir(parents=True, exist_ok=True)
    table.to_csv(root / "HAM10000_metadata.csv", index=False)
    for seed, image_id in enumerate(table["image_id"].unique()):
        save_picture(root / f"HAM10000_images_part_{1 + seed % 2}" / f"{image_id}.jpg", seed)
        if masks:
            mask = root / "HAM10000_segmentations_lesion_tschandl" / f"{image_id}_segmentation.png"
            mask.parent.mkdir(exist_ok=True)
            Image.fromarray(picture(seed).mask).save(mask)
    return root


def write_isic(root: Path) -> Path:
    """The layout of the ISIC challenges: a one-hot ground truth and a folder of images; gives the path of the CSV."""
    table = metadata()
    truth = root / "ISIC2018_Task3_Test_GroundTruth.csv"
    one_hot = pd.DataFrame({code.upper(): (table["dx"] == code).astype(float) for code in CODES})
    root.mkdir(parents=True, exist_ok=True)
    pd.concat([table["image_id"].rename("image"), one_hot], axis=1).to_csv(truth, index=False)
    for seed, image_id in enumerate(table["image_id"]):
        save_picture(root / "ISIC2018_Task3_Test_Input" / f"{image_id}.jpg", seed)
    return truth


def write_class_folders(root: Path) -> Path:
    """One folder per class."""
    for seed, row in metadata().iterrows():
        save_picture(root / row["dx"] / f"{row['image_id']}.png", int(str(seed)))
    return root
