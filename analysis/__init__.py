"""What the figures mean: predictions, metrics with intervals, curves, confusion, the audit of a pair, and leakage."""
