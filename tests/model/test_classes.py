from model.classes import BY_CODE, CODES, DIAGNOSES, diagnosis


def test_seven_classes_in_alphabetical_order() -> None:
    assert CODES == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert list(BY_CODE) == list(CODES)


def test_each_class_has_its_own_name_and_colour() -> None:
    assert len({known.name for known in DIAGNOSES}) == 7
    assert len({known.colour for known in DIAGNOSES}) == 7


def test_malignant_classes() -> None:
    assert [known.code for known in DIAGNOSES if known.malignant] == ["akiec", "bcc", "mel"]


def test_another_class_is_shown_by_its_code_in_a_colour_that_stays() -> None:
    assert diagnosis("mel") is BY_CODE["mel"]
    benign = diagnosis("benign")
    assert (benign.name, benign.malignant) == ("benign", None)
    assert benign.colour == diagnosis("benign").colour
    assert {diagnosis(code).colour for code in "abcdefghij"}.isdisjoint(known.colour for known in DIAGNOSES)
