"""What the model is: classes, data, splits, networks, training, bundles and inference."""
