"""What benchmarks measured is kept, and printed with what was asked and whether it is met."""

from pathlib import Path

import pytest

from tests.benchmarks import record

LINE = {"name": "gradcam_batch", "ratio": 0.913, "must": 0.85, "met": True}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(record, "RECORD", tmp_path / "measured.json")
    monkeypatch.setattr(record, "machine", lambda: "a processor, 2 cores")


def test_every_benchmark_has_a_row() -> None:
    files = {path.stem for path in Path(record.__file__).parent.glob("[!_]*.py")}
    assert set(record.ROWS) == files - {"medians", "real_images", "record", "test_record"}


def test_every_benchmark_is_in_the_record() -> None:
    assert set(record.read()) == set(record.ROWS)


@pytest.mark.usefixtures("kept")
def test_a_line_is_kept_and_printed_with_what_was_asked() -> None:
    record.keep(LINE, 5.04)
    row, where = record.markdown().splitlines()[2], record.markdown().splitlines()[-1]
    assert row.endswith("| 0.85 of the forward pass' | 0.91 of the forward pass' | yes | 5.0 ms |")
    assert "a processor, 2 cores" in where


@pytest.mark.usefixtures("kept")
def test_what_is_measured_again_replaces_the_line_and_leaves_the_others() -> None:
    record.keep({"name": "smoothgrad", "ratio": 11.2, "must": 2, "met": True}, 5.0)
    record.keep(LINE, 5.0)
    record.keep({**LINE, "ratio": 0.7, "met": False}, 6.2)
    assert record.read()["gradcam_batch"]["ratio"] == 0.7
    assert record.read()["smoothgrad"]["ratio"] == 11.2
    assert record.markdown().splitlines()[2].endswith("| **no** | 6.2 ms |")
