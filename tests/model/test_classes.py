from model.classes import BY_CODE, CODES, DIAGNOSES


def test_seven_classes_in_alphabetical_order() -> None:
    assert CODES == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert list(BY_CODE) == list(CODES)


def test_each_class_has_its_own_name_and_colour() -> None:
    assert len({diagnosis.name for diagnosis in DIAGNOSES}) == 7
    assert len({diagnosis.colour for diagnosis in DIAGNOSES}) == 7


def test_malignant_classes() -> None:
    assert [diagnosis.code for diagnosis in DIAGNOSES if diagnosis.malignant] == ["akiec", "bcc", "mel"]
