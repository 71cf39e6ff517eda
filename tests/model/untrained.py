"""Bundles of networks that nobody has trained."""

from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import Card, ModelBundle, load_bundle, write_card
from model.classes import CODES

if TYPE_CHECKING:
    import keras


def write_untrained(folder: Path, network: "keras.Model") -> ModelBundle:
    """Write the bundle of `network` with its random weights into `folder`."""
    from model.bundle_writer import write_network
    from model.keras_model import round_to_stored

    folder.mkdir()
    round_to_stored(network)
    write_network(folder, network)
    write_card(folder, Card(network.name, network.name, CODES, network.input_shape[1], 1.0, (1 / 7,) * 7))
    return load_bundle(folder)
