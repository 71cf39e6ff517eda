"""The sections of a model card as text: the same on the command line, in Markdown and on the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.confusion import Confusion
from analysis.groups import FEW_LESIONS, FEW_MELANOMAS, GroupFigures, worst_group
from analysis.performance import Performance
from app import out_of_fold_tables
from app.class_names import named
from app.confirmations import CONFIRMATIONS
from app.evaluation_data import evaluation_sentence
from app.evaluation_tables import CAPTION, COLUMNS, class_rows, size, summary_rows
from app.markdown import markdown_table
from app.model_card import ModelCard
from app.numbers import decimal, percent, percent_interval, with_interval
from model.bundle import Card
from model.splits import LEAKY, PROTOCOLS

GROUP_COLUMNS = (
    "Group",
    "Cases (lesions)",
    "Diagnoses",
    "Balanced accuracy",
    "Melanomas",
    "Melanoma recall",
    "Melanoma AUC",
)
KIND_NAMES = {"age": "Age", "sex": "Sex", "site": "Site", "confirmation": "Confirmation"}
OUT_OF_SCOPE = (
    "Not for: decisions about people; pictures that are not dermatoscopy; diagnoses other than its own, for which it "
    "has no answer but one of its own; people unlike those it was trained on."
)
HAM10000 = (
    "HAM10000 was collected in Vienna, Austria, and in Queensland, Australia, mostly from light skin: of other people, "
    "and of lesions that nobody found worth a picture, its figures say nothing. It is published at 600 × 450 pixels."
)
CONFOUNDED = (
    "Confirmation and diagnosis go together: in HAM10000 every melanoma was confirmed by histology, and what was only "
    "followed up is a naevus. Site and age go with the diagnosis too. A gap between two groups can come from their "
    "lesions as well as from the model."
)
FEW = (
    f"An asterisk marks fewer than {FEW_LESIONS} lesions, or fewer than {FEW_MELANOMAS} melanomas (counted by lesion): "
    "such figures say little. Balanced accuracy is over the diagnoses that the group has."
)


@dataclass(frozen=True)
class Section:
    """One section: paragraphs, then a command, then a table, each of which may be missing."""

    title: str
    paragraphs: tuple[str, ...] = ()
    command: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def sections(model: ModelCard) -> list[Section]:
    """The sections that there is something to say in, in their order."""
    every = [
        _intended_use(model.card),
        _data(model.card),
        _split(model.card),
        _training(model),
        *_figures(model),
        *_performance(model),
        *_gains(model),
    ]
    return [section for section in every if section is not None]


def markdown(model: ModelCard) -> str:
    """The card in Markdown."""
    parts = [f"# Model card: {model.card.name}"]
    for section in sections(model):
        parts += [f"## {section.title}", *section.paragraphs]
        if section.command is not None:
            parts.append("\n".join(["```sh", section.command, "```"]))
        if section.rows:
            parts.append(markdown_table(section.columns, section.rows))
    return "\n\n".join(parts)


def group_name(group: GroupFigures) -> str:
    """What a group is called, with a star where its figures say little."""
    return f"{CONFIRMATIONS.get(group.name, group.name)}{'*' if group.few else ''}"


def scope(model: ModelCard) -> str:
    """Of which predictions the groups, failures and calibration are."""
    assert model.performance is not None
    cases, lesions = model.performance.cases, model.performance.lesions
    if not model.card.calibrated:
        return evaluation_sentence(model.card)
    if model.cross_validation is None:
        return f"On the {cases:,} images of {lesions:,} lesions of this model's test part."
    folds = len(model.cross_validation.figures.folds)
    return (
        f"Out-of-fold: {cases:,} images of {lesions:,} lesions, each predicted by the one of {folds} models of this "
        "recipe that has not seen its lesion."
    )


def group_rows(groups: Sequence[GroupFigures]) -> list[tuple[str, ...]]:
    """One row of text per group in the order of GROUP_COLUMNS, small ones marked by an asterisk."""
    return [
        (
            f"{KIND_NAMES[group.kind]}: {group_name(group)}",
            f"{group.cases:,} ({group.lesions:,})",
            str(group.diagnoses),
            with_interval(group.balanced_accuracy),
            f"{group.melanomas:,}{'*' if group.few_melanomas and group.melanomas else ''}",
            with_interval(group.melanoma_recall),
            with_interval(group.melanoma_auc),
        )
        for group in groups
    ]


def failures(found: Performance) -> list[str]:
    """Sentences on the error that costs most, the commonest confusions and the group that fares worst."""
    sentences = [
        f"{found.melanomas_called_naevi:,} of {found.melanomas:,} images of melanomas are called naevus: "
        f"{percent(found.melanomas_called_naevi_share.value)} "
        f"(95 % {percent_interval(found.melanomas_called_naevi_share)}).",
        f"Commonest confusions: {'; '.join(map(_confusion, found.confusions))}.",
    ]
    worst = worst_group([group for group in found.groups if group.kind != "confirmation"])
    if worst is not None:
        sentences.append(
            f"Worst group by age, sex or site among those with {worst.diagnoses} diagnoses and {FEW_LESIONS} lesions "
            "at least: "
            f"{KIND_NAMES[worst.kind].lower()} {worst.name}, balanced accuracy "
            f"{with_interval(worst.balanced_accuracy)} on {worst.lesions:,} lesions."
        )
    return sentences


def calibration_sentence(found: Performance, card: Card) -> str:
    """The expected calibration error before and after scaling; of an imported model, which is not scaled, as it is."""
    before, after = found.calibration.before, found.calibration.after
    if not card.calibrated:
        return (
            f"Not calibrated. Expected calibration error of the most probable class in {len(before.bins)} bins of "
            f"equally many cases: {with_interval(before.error)}; a perfectly calibrated model would show "
            f"{decimal(before.perfect_error)} by chance."
        )
    return (
        f"Expected calibration error of the most probable class in {len(after.bins)} bins of equally many cases: "
        f"{with_interval(before.error)} at temperature 1, {with_interval(after.error)} after temperature scaling; a "
        f"perfectly calibrated model would show {decimal(after.perfect_error)} by chance. This model's temperature, "
        f"{card.temperature:.3f}, was fitted on its validation part."
    )


def _intended_use(card: Card) -> Section:
    return Section("Intended use", tuple(filter(None, (card.intended_use, OUT_OF_SCOPE))))


def _data(card: Card) -> Section:
    data = card.data
    size = (
        f"{data['cases']:,} images of {data['lesions']:,} lesions; SHA-256 of their image_ids, lesion_ids and "
        f"diagnoses: {data['fingerprint']}."
        if data
        else "Not recorded."
    )
    width, height = data.get("picture_size", (None, None))
    pictures = f"The images it was trained on have {width} × {height} pixels." if width else ""
    provenance = HAM10000 if "HAM10000" in card.licence else ""
    paragraphs = (
        size,
        pictures,
        provenance,
        card.licence,
        f"Input: {card.size} × {card.size} pixels, {card.preprocessing}",
    )
    return Section("Data and licence", tuple(filter(None, paragraphs)))


def _split(card: Card) -> Section | None:
    split = card.split
    if "protocol" not in split:
        return None
    counted = ", ".join(f"{split[part]:,} {part}" for part in ("train", "validation", "test") if part in split)
    paragraphs = [
        f"Protocol {split['protocol']}, fold {split['fold']}, seed {split['seed']}: {counted} images.",
        PROTOCOLS[split["protocol"]],
    ]
    if "test_lesions_in_training" in split:
        paragraphs.append(
            f"Of the test images, {percent(split['test_images_in_training'])} are in the training part, and "
            f"{percent(split['test_lesions_in_training'])} show a lesion of it."
        )
    if split["protocol"] in LEAKY:
        paragraphs.append("This split leaks: the figures below are not performance.")
    return Section("Split", tuple(paragraphs))


def _training(model: ModelCard) -> Section:
    training = model.card.training
    cost = "not recorded" if model.cpu_hours is None else f"{model.cpu_hours:.1f} CPU hours"
    paragraphs = [f"Network {model.card.network}. Cost of training: {cost}."]
    if "imported_from" in training:
        paragraphs.append(f"Brought from a Keras file, {training['imported_from']}; how it was trained is not known.")
    if "best_epoch" in training:
        ended = "" if training.get("completed", True) else ", where it was stopped by hand"
        paragraphs.append(
            f"Kept: epoch {training['best_epoch']} of {training['epochs_done']}{ended}, the best by macro AUC on the "
            "validation part."
        )
    if "augmentation" in training:
        varied = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in training["augmentation"].items())
        paragraphs.append(f"Images were varied by: {varied}.")
    if "margin" in training:
        paragraphs.append(
            f"They were cropped from pictures of {training['margin']:g} times the input size. Dropout "
            f"{training['dropout']:g}."
        )
    versions = ", ".join(f"{package} {version}" for package, version in model.card.versions.items())
    if versions:
        paragraphs.append(f"Made with {versions}.")
    return Section("Training", tuple(paragraphs), model.training_command)


def _figures(model: ModelCard) -> list[Section]:
    own, recipe = _own_figures(model), _recipe_figures(model)
    # The short tables first, side by side on the page, then the wide ones.
    return [*own[:1], *recipe[:1], *own[1:], *recipe[1:]]


def _own_figures(model: ModelCard) -> list[Section]:
    if model.metrics is None:
        return [Section("Figures", ("Not measured: the bundle has no test predictions.",))]
    metrics, card = model.metrics, model.card
    where = "on its own test part" if card.calibrated else f"on {card.evaluation['data']}"
    said = size(metrics) if card.calibrated else evaluation_sentence(card)
    columns, rows = ("Figure", "Value", "Chance"), tuple(summary_rows(metrics))
    return [
        Section(f"Figures of this model {where}", (f"{said} {CAPTION}",), columns=columns, rows=rows),
        Section(f"By diagnosis, {where}", columns=COLUMNS, rows=tuple(class_rows(metrics))),
    ]


def _recipe_figures(model: ModelCard) -> list[Section]:
    if model.cross_validation is None:
        return []
    figures = model.cross_validation.figures
    return [
        Section(
            "Figures of the recipe, out-of-fold",
            (f"{out_of_fold_tables.size(figures)} {CAPTION}", out_of_fold_tables.NO_THRESHOLD),
            columns=out_of_fold_tables.FIGURE_COLUMNS,
            rows=tuple(out_of_fold_tables.figure_rows(figures)),
        ),
        Section(
            "Each fold's model on its own test part",
            columns=out_of_fold_tables.FOLD_COLUMNS,
            rows=tuple(out_of_fold_tables.fold_rows(figures)),
        ),
    ]


def _performance(model: ModelCard) -> list[Section]:
    if model.performance is None:
        return []
    return [
        Section(
            "By age, sex, site and way of confirmation",
            (scope(model), CONFOUNDED, FEW),
            columns=GROUP_COLUMNS,
            rows=tuple(group_rows(model.performance.groups)),
        ),
        Section("Known failures", (scope(model), *failures(model.performance))),
        Section("Calibration", (scope(model), calibration_sentence(model.performance, model.card))),
    ]


def _gains(model: ModelCard) -> list[Section]:
    found = model.cross_validation
    if found is None:
        return []
    sections = []
    if found.metadata is not None:
        weights = ", ".join(f"{weight:.2f}" for weight in found.metadata.weights)
        explained = (
            "Out-of-fold, mean over the folds, paired intervals. The patient's say is weighted, by fold, "
            f"{weights}; 1 would be as if image and patient told different things of a diagnosis."
        )
        rows = tuple(out_of_fold_tables.metadata_rows(found.metadata))
        sections.append(
            Section(
                "Age, sex and site added to the image", (explained,), columns=out_of_fold_tables.GAIN_COLUMNS, rows=rows
            )
        )
    if found.options:
        rows = tuple(out_of_fold_tables.option_rows(found.options))
        sections.append(
            Section(
                "Options when predicting",
                (f"{out_of_fold_tables.CAPTION} {out_of_fold_tables.options_note(found.options)}",),
                columns=out_of_fold_tables.OPTION_COLUMNS,
                rows=rows,
            )
        )
    return sections


def _confusion(confusion: Confusion) -> str:
    true, called = (named(code) for code in (confusion.true, confusion.predicted))
    return f"{true} called {called} ({confusion.count:,}, {percent(confusion.share)} of its images)"
