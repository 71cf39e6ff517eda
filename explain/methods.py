"""Every explanation method and control, by the code that names it in commands, addresses and files."""

from explain.gradcam import grad_cam
from explain.method import Method
from explain.shapley import EVALUATIONS, shapley_values
from explain.surrogate import SAMPLES, lime_weights

METHODS = {
    "gradcam": Method(
        "Grad-CAM",
        "How much each place of the last feature map adds to the logit.",
        "logit per position",
        1,
        grad_cam,
        smooth=True,
    ),
    "shap": Method(
        "SHAP",
        "How much the logit changes with each region, averaged over what else is visible.",
        "logit per cell",
        EVALUATIONS,
        shapley_values,
    ),
    "lime": Method(
        "LIME",
        "The weight of each region in a linear model of the logit around this image.",
        "logit per region",
        SAMPLES,
        lime_weights,
    ),
}
DEFAULT_METHOD = "gradcam"
