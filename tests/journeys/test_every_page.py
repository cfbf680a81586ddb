"""Every page, phone and desk, Chinese and English: experience.md checks 2, 5, 8, 9 and 11."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, TimeoutError, expect

from tests.journeys.conftest import visiting
from tests.web.addresses import visitor

AXE = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


# Violations alone: what passed is of no use here, and most of what axe would write down and hand over.
VIOLATIONS = (
    """async options => (await axe.run(document, {...options, resultTypes: ['violations']})).violations"""
)
TRANSITIONS_OVER = """Promise.allSettled(
  document.getAnimations().filter(one => one instanceof CSSTransition).map(one => one.finished))"""


def faults(page: Page) -> list[str]:
    """What axe finds wrong by WCAG 2.2 A and AA: rule and place."""
    return said_by_axe(page, length=200)


def said_by_axe(page: Page, *, length: int, **options: Any) -> list[str]:
    """Rule, place and the beginning of what is said, of `length`, for each violation of STANDARDS.

    Colours that are still changing are waited for, and the rest of a page that has begun to come.
    """
    page.wait_for_load_state()
    page.evaluate(TRANSITIONS_OVER)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(VIOLATIONS, {"runOnly": {"type": "tag", "values": STANDARDS}, **options})
    return [f"{v['id']}: {n['target']}: {n['failureSummary'][:length]}" for v in found for n in v["nodes"]]


# Elements that stick out on the right and do not stand in a box that scrolls by itself, with text of a size.
STICKING_OUT = """size => {
  const root = document.documentElement;
  if (size) root.style.fontSize = size;
  const width = root.clientWidth;
  const boxed = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
    if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
  const found = root.scrollWidth <= width ? [] : [[root.scrollWidth - width],
    ...[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width && !boxed(e))
      .map(e => [e.tagName, e.className.baseVal ?? e.className, e.textContent.trim().slice(0, 40)])].slice(0, 5);
  if (size) root.style.fontSize = '';
  return found;
}"""


def sideways(page: Page, size: str = "") -> list:
    """By how many pixels the page can be scrolled sideways, with text of `size` if one is given, and what sticks out;
    empty when it cannot."""
    page.wait_for_load_state()
    return page.evaluate(STICKING_OUT, size)


WIDTHS = (1280, 390)


def troubles(page: Page, widths: Sequence[int] = WIDTHS) -> list[str]:
    """Faults at `widths`; sideways scrolling at 320 px (400 % zoom of 1280) and with text twice as large.
    Leaves the page at desk width. Each width is set once: to lay a page out anew is most of the work."""
    found = []
    for width in (*WIDTHS, 320):
        page.set_viewport_size({"width": width, "height": 900})
        if width in widths:
            found += [f"{width} px: {fault}" for fault in faults(page)]
        if wide := sideways(page, "200%" if width in WIDTHS else ""):
            found.append(
                f"{width} px{', text at 200 %' if width in WIDTHS else ''}: scrolls sideways: {wide}"
            )
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@dataclass
class Walk:
    """What was met on the way through every page in one language."""

    found: dict[str, list[str]] = field(default_factory=dict)  # faults, by page
    asked: set[str] = field(default_factory=set)  # addresses that the pages asked for
    said: list[str] = field(default_factory=list)  # errors and warnings in their consoles

    def listen(self, page: Page) -> None:
        page.on("request", lambda request: self.asked.add(request.url))
        page.on(
            "console",
            lambda message: self.said.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.said.append(str(error)))


@pytest.fixture(scope="module")
def walk(site, browser) -> Callable[..., Walk]:
    """walk("en", (390,)): every page is opened once, whoever asks for what was met there."""

    @cache
    def walk(language: str, widths: Sequence[int]) -> Walk:
        met = Walk()
        with visiting(site, browser) as visit:
            page = {one: visit(one, language=language).new_page() for one in set(map(visitor, site.pages))}
            for one in page.values():
                one.add_init_script(path=AXE)  # handed over once, not for each page anew
                met.listen(one)
            for name, url in site.pages.items():
                before = list(met.said)
                page[visitor(name)].goto(url)
                met.found[name] = troubles(page[visitor(name)], widths)
                with suppress(TimeoutError):  # what a page asks for late; one that never rests is no fault
                    page[visitor(name)].wait_for_load_state("networkidle", timeout=5_000)
                if name == "missing":  # its own 404 stands in the console
                    met.said = before
        return met

    return walk


@pytest.mark.parametrize(
    ("language", "widths"),
    [
        ("zh-hans", (390,)),
        ("en", (1280,)),
        pytest.param("zh-hans", WIDTHS, marks=pytest.mark.long),
        pytest.param("en", WIDTHS, marks=pytest.mark.long),
    ],
)
def test_every_page_is_without_fault(walk, visit, language, widths):
    """Chinese and English, phone and desk; also a wrong form, an empty home and a refusal.

    What is written is read at every width in both; axe reads each page once a language, and all in the long form.
    """
    found = dict(walk(language, widths).found)
    stranger = visit("", language=language).new_page()
    stranger.goto("/sign-in/")
    found["sign-in"] = troubles(stranger, widths)
    stranger.click("main button")
    found["sign-in, wrong"] = troubles(stranger, widths)
    caregiver = visit("caregiver", language=language).new_page()
    for name, url in (("empty home", "/"), ("forbidden", "/bureau/months/")):
        caregiver.goto(url)
        found[name] = troubles(caregiver, widths)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_axe_would_find_one(site, visit):
    """Control: text too pale and a field without a name."""
    page = visit("").new_page()
    page.goto("/sign-in/")
    assert faults(page) == []
    page.evaluate(
        "document.querySelector('label').remove(); document.querySelector('h1').style.color = '#bbb'"
    )
    assert {fault.split(":")[0] for fault in faults(page)} == {"label", "color-contrast"}


def test_a_wide_page_would_be_noticed(site, visit):
    page = visit("", width=320).new_page()
    page.goto("/sign-in/")
    page.evaluate("document.querySelector('h1').style.width = '11rem'")
    assert sideways(page) == [] and sideways(page, "200%") and sideways(page) == []
    page.evaluate("document.querySelector('h1').style.width = '500px'")
    assert sideways(page)


def test_every_byte_is_ours_and_nothing_is_blocked(walk, site, visit):
    """No request leaves this server; no script or style is refused; no error in the console."""
    met = walk("zh-hans", (390,))
    assert met.said == []
    assert met.asked and all(url.startswith((f"{site.address}/", "data:")) for url in met.asked)
    assert any("echarts" in url for url in met.asked)  # control: scripts were asked for
    control = Walk()
    page = visit("clerk").new_page()
    control.listen(page)
    page.goto("/")
    assert control.said == []
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    for _ in range(100):
        if any("Content Security Policy" in text for text in control.said):  # control: the policy is there
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the policy said nothing")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_keyboard_reaches_everything_and_focus_shows(site, visit, width):
    page = visit("clerk", width=width).new_page()
    for name in ("bureau:month", "redemption", "design"):
        page.goto(site.pages[name])
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        links = page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden], [type=radio]:not(:checked)), select, summary')]"
            ".filter(e => e.offsetParent && !e.disabled && !e.closest('details:not([open]) > :not(summary)')).length"
        )
        unseen = []
        reached = 1
        for _ in range(min(links, 40) - 1):
            page.keyboard.press("Tab")
            shown = page.evaluate(
                "(() => { const e = document.activeElement, s = getComputedStyle(e);"
                "return [e.tagName, e.textContent.trim().slice(0, 30), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2] })()"
            )
            if shown[0] == "BODY":
                break  # past the last one, into the browser's own bar
            reached += 1
            if not shown[2]:
                unseen.append(shown)
        assert unseen == [], name
        assert reached >= min(links, 40) - 1, name


def test_the_skip_link_leads_to_the_content(site, visit):
    page = visit("clerk").new_page()
    page.goto(site.pages["bureau:month"])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("name", ["bureau:month", "statement:posted", "redemption"])
def test_paper_is_a_face_too(site, visit, name):
    """Printing leaves out what can only be pressed, and gives A4 pages."""
    page = visit("clerk").new_page()
    page.goto(site.pages[name])
    assert page.locator("header.top").is_visible()
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible()
    assert not page.locator("footer.help").is_visible()
    assert page.locator("h1").is_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_keys_lead_about_the_desk_and_press_nothing(site, visit):
    """Search, from line to line, the next page, the main button; off where somebody switched them off."""
    page = visit("clerk", language="en").new_page()
    page.goto(site.pages["bureau:month"])
    rows = page.locator("main tbody th a")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("j/k")  # typed, not obeyed
    expect(page.locator("#q")).to_have_value("j/k")

    waiting = reverse("statement", args=[site.city.leases[4].code, site.city.month])
    page.goto(waiting)
    page.keyboard.press("a")
    expect(page.locator("main .btn-primary").first).to_be_focused()
    assert page.url.endswith(waiting)  # focused, not pressed
    page.keyboard.press("Enter")
    page.wait_for_url("**/step/")

    page.goto(f"{site.pages['design']}")
    page.keyboard.press("n")
    page.wait_for_url("**page=2")
    page.keyboard.press("?")
    page.wait_for_url("**/keys/")
    page.get_by_label("Keys work on this device").uncheck()
    page.goto(site.pages["bureau:month"])
    page.keyboard.press("j")
    page.keyboard.press("/")
    expect(page.locator("body")).to_be_focused()  # control: off is off
