"""Every printed figure is what the committed predictions give, and the check would notice if it were not."""

import sys
from pathlib import Path

import pytest

from scripts import figures


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["figures", *arguments])
    return figures.main()


def test_what_is_printed_is_what_the_predictions_give(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--check") == 0, capsys.readouterr().out


def test_a_changed_figure_is_noticed_and_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- a -->\n0.73\n<!-- /a -->\n")
    monkeypatch.setattr(figures, "figures", lambda: iter([(page, "<!-- a -->\n0.72\n<!-- /a -->\n")]))
    assert run(monkeypatch, "--check") == 1
    shown = capsys.readouterr().out
    assert "-0.73\n+0.72\n" in shown
    assert "0.73" in page.read_text()
    assert run(monkeypatch) == 0
    assert run(monkeypatch, "--check") == 0


def test_only_the_last_digits_may_differ() -> None:
    assert figures.agree('{"a": 0.7251234567891, "b": [1]}', '{"a": 0.7251234567899, "b": [1]}')
    assert not figures.agree("0.725", "0.726")
    assert not figures.agree("0.725 (3)", "0.725 (4)")
    assert not figures.agree("0.725", "0.725 0.1")


def test_blocks_are_filled_and_the_rest_is_left() -> None:
    text = "before\n<!-- one -->\nold\n<!-- /one -->\nbetween <!-- note -->\n<!-- two-three -->\n<!-- /two-three -->\n"
    filled = figures.with_blocks(text, {"one": lambda: "new", "two-three": lambda: "x"})
    assert filled == (
        "before\n<!-- one -->\nnew\n<!-- /one -->\nbetween <!-- note -->\n<!-- two-three -->\nx\n<!-- /two-three -->\n"
    )
    assert figures.with_blocks(filled, {"one": lambda: "new", "two-three": lambda: "x"}) == filled


def test_a_block_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(SystemExit, match="Nothing fills the block 'speed'"):
        figures.with_blocks("<!-- speed -->\n3\n<!-- /speed -->", {})
