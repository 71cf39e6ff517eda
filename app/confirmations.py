"""How a diagnosis was confirmed, in words (Tschandl et al. 2018, doi:10.1038/sdata.2018.161)."""

CONFIRMATIONS = {
    "histo": "histology",
    "follow_up": "follow-up",
    "consensus": "expert consensus",
    "confocal": "confocal microscopy",
}
