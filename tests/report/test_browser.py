"""The page in a real browser: from disk, silent, without network, without sideways scrolling."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from pipeline.report import write_report
from pipeline.report.data import ReportData

CHROMIUM = os.environ.get("EVIPOOL_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that EVIPOOL_CHROMIUM names."""
    if not CHROMIUM or not Path(CHROMIUM).exists():
        pytest.skip("needs Chromium: install it, or name it in EVIPOOL_CHROMIUM")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a written report lies."""
    folder = tmp_path_factory.mktemp("browser")
    write_report(data, folder)
    return (folder / "report.html").as_uri()


#: 1280 pixels wide; the same at 200 % zoom, which halves the CSS pixels; and a phone.
WIDTHS = [(1280, 1), (640, 2), (360, 3)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "zoom"), WIDTHS)
def test_the_page_opens_from_disk(
    browser: Browser, address: str, width: int, zoom: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        device_scale_factor=zoom,
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page, noise, asked = context.new_page(), [], []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: noise.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert noise == []
    assert asked == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("mark").first.is_visible()
    assert page.locator("figure svg").first.is_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")
    context.close()


def test_every_text_of_a_figure_stays_inside_it(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    outside = page.evaluate(
        """[...document.querySelectorAll("figure svg")].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter(t => {
                const box = t.getBoundingClientRect();
                return box.left < frame.left || box.right > frame.right;
            }).map(t => t.textContent);
        })"""
    )
    assert outside == []
    page.close()


def test_a_links_target_opens_by_keyboard(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.close()
