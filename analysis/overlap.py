"""Leakage of a split: how much of the test part the training part has already seen."""

import pandas as pd


def overlap(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Shares of test rows whose image, or whose lesion, is also in training, in total and by class.

    Both tables have columns image_id, lesion_id and diagnosis. The result has one row `total` and one per diagnosis of
    the test rows, in alphabetical order, with columns `rows` (int), `image` and `lesion` (float, shares in [0, 1]).
    """
    seen = pd.DataFrame(
        {
            "diagnosis": test["diagnosis"],
            "image": test["image_id"].isin(set(train["image_id"])),
            "lesion": test["lesion_id"].isin(set(train["lesion_id"])),
        }
    )
    named = pd.concat([seen.assign(diagnosis="total"), seen])
    shares = named.groupby("diagnosis").agg(rows=("image", "size"), image=("image", "mean"), lesion=("lesion", "mean"))
    return shares.loc[["total", *sorted(seen["diagnosis"].unique())]]
