"""Plays with the page of the server in a headless browser.

    python -m tests.page.run [--browser PROGRAM] [--screenshots DIR]

Two runs with initial weights are served by `textgen serve`; Playwright drives Chromium. Without Playwright or a
browser nothing is tried, and what is missing is named.
"""

import argparse
import os
import re
import shutil
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textgen.console import import_tensorflow

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZES = {"wide": {"width": 1200, "height": 900}, "phone": {"width": 375, "height": 800}}
TOKENS, SAMPLES = 40, 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--browser", help="program of Chromium (default: the first of its usual names)")
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of the page")
    given = parser.parse_args()
    browser = given.browser or next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("not run: the package playwright is not installed; install it into .venv")
        return 0
    if browser is None:
        print(f"not run: there is no browser ({', '.join(BROWSERS)}); on Debian: apt-get install chromium")
        return 0
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        runs = make_runs(Path(folder))
        with Server(runs) as server, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            for size, viewport in SIZES.items():
                page = chromium.new_page(viewport=viewport, color_scheme="dark" if size == "phone" else "light")
                failures += try_page(page, server.address, f"{size}", given.screenshots)
                page.close()
            chromium.close()
    print("all trials passed" if not failures else f"{failures} FAILED")
    return 1 if failures else 0


def make_runs(folder: Path) -> list[Path]:
    """Writes two runs by characters, with curves and samples."""
    import_tensorflow()
    from tests.made_runs import write_run

    runs = []
    for name in ("first", "second"):
        run = write_run(folder / name, tokens=tuple(string.ascii_lowercase + " "), network="lstm", scale=6.0)
        (run / "history.csv").write_text("step,loss,validation_loss\n3,2.5,\n6,2.25,2.75\n", encoding="utf-8")
        (run / "samples.jsonl").write_text('{"step": 3, "prompt": "a", "text": "abc"}\n', encoding="utf-8")
        runs.append(run)
    return runs


class Server:
    """`textgen serve` as a process of its own."""

    def __init__(self, runs: list[Path]):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "textgen.cli", "serve", *runs, "--port", "0"],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        (self.address,) = re.findall(r"serving at (http://\S+) ", self._process.stderr.readline())

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(timeout=60) == 0


def try_page(page: Any, address: str, size: str, screenshots: Path | None) -> int:
    """Runs all trials in one page, one after another; returns the number that failed."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text) if _is_mistake(message) else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(address)
    failures = 0
    for trial in TRIALS:
        name = trial.__name__.replace("_", " ")
        try:
            trial(page)
            assert not messages, messages
        except Exception as error:
            failures += 1
            print(f"{size}: {name}: FAILED: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
        else:
            print(f"{size}: {name}: passed")
        if screenshots:
            screenshots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(screenshots / f"{size}-{trial.__name__}.png"), full_page=True)
    return failures


def _is_mistake(message: Any) -> bool:
    # A refused request is one of the trials.
    return message.type == "error" and "status of 400" not in message.text


def _count(page: Any, selector: str, number: int) -> None:
    """Waits until there are so many elements; the page allows no evaluation of conditions in itself."""
    page.locator(f"{selector} >> nth={number - 1}").wait_for(state="attached", timeout=60_000)
    assert page.locator(selector).count() == number, page.locator(selector).count()


def _wait_until_written(page: Any) -> None:
    page.locator("#stop[disabled]").wait_for(timeout=60_000)


def two_runs_write_samples_side_by_side(page: Any) -> None:
    _count(page, "#model option", 2)
    page.fill("#prompt", "the whale")
    page.select_option("#other", "second")
    page.locator("#max_tokens").fill(str(TOKENS))
    page.locator("#n").fill(str(SAMPLES))
    page.keyboard.press("Control+Enter")
    _count(page, ".token", 2 * SAMPLES * TOKENS)
    _wait_until_written(page)
    assert page.locator(".sample").count() == 2 * SAMPLES
    headings = page.locator(".sample h2").all_inner_texts()
    assert headings == ["first · 1", "first · 2", "second · 1", "second · 2"], headings


def nothing_is_wider_than_the_window(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def tokens_are_tinted_by_their_probability(page: Any) -> None:
    tints = page.eval_on_selector_all(
        ".token", "tokens => tokens.map(token => getComputedStyle(token).backgroundColor)"
    )
    assert len(set(tints)) > 3, set(tints)
    label = page.locator(".token").first.get_attribute("aria-label")
    assert re.fullmatch(r". ?, [\d.]+ percent|.*, [\d.]+ percent", label), label


def the_pointer_shows_ten_alternatives(page: Any) -> None:
    page.locator(".sample").first.locator(".token").nth(9).hover()
    page.wait_for_selector("#tip:not([hidden])")
    assert 10 <= page.locator("#tip button").count() <= 11
    page.mouse.move(0, 0)
    page.wait_for_selector("#tip", state="hidden")


def a_click_goes_on_from_an_alternative_and_undo_takes_it_back(page: Any) -> None:
    before = page.input_value("#prompt")
    page.locator(".sample").first.locator(".token").nth(4).click()
    page.locator("#tip button").nth(2).click()
    _wait_until_written(page)
    after = page.input_value("#prompt")
    assert after.startswith(before) and len(after) == len(before) + 5, after
    page.click("#undo")
    _wait_until_written(page)
    assert page.input_value("#prompt") == before


def it_works_by_keyboard(page: Any) -> None:
    before = page.input_value("#prompt")
    page.locator(".sample").first.locator(".token").first.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    _wait_until_written(page)
    assert len(page.input_value("#prompt")) == len(before) + 3
    page.keyboard.press("Control+Shift+z")
    _wait_until_written(page)
    assert page.input_value("#prompt") == before


def escape_stops_writing(page: Any) -> None:
    # So much that it is not written before the key arrives.
    page.locator("#max_tokens").fill("500")
    page.locator("#n").fill("8")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".token")
    page.keyboard.press("Escape")
    _wait_until_written(page)
    assert page.locator(".token").count() < 2 * 8 * 500, page.locator(".token").count()
    page.locator("#max_tokens").fill(str(TOKENS))
    page.locator("#n").fill(str(SAMPLES))


def the_curves_and_samples_of_the_runs_are_shown(page: Any) -> None:
    page.click("#run summary")
    _count(page, "#curves svg polyline", 4)
    _count(page, "#curves svg circle", 6)
    assert "abc" in page.inner_text("#past")


def an_error_is_told(page: Any) -> None:
    page.fill("#prompt", "a" * 1_100_000)
    page.click("button.main")
    page.locator("#message", has_text="1,048,576 bytes").wait_for()
    assert not page.locator(".sample").count()
    page.fill("#prompt", "")


TRIALS: tuple[Callable[[Any], None], ...] = (
    two_runs_write_samples_side_by_side,
    nothing_is_wider_than_the_window,
    tokens_are_tinted_by_their_probability,
    the_pointer_shows_ten_alternatives,
    a_click_goes_on_from_an_alternative_and_undo_takes_it_back,
    it_works_by_keyboard,
    escape_stops_writing,
    the_curves_and_samples_of_the_runs_are_shown,
    an_error_is_told,
)


if __name__ == "__main__":
    sys.exit(main())
