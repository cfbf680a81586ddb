"""Every page, phone and desk, Chinese and English: experience.md checks 2, 5, 8, 9 and 11."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.web.addresses import visitor

AXE = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def faults(page: Page) -> list[str]:
    """What axe finds wrong by WCAG 2.2 A and AA: rule and place."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "standards => axe.run(document, {runOnly: {type: 'tag', values: standards}})", STANDARDS
    )
    return [
        f"{v['id']}: {n['target']}: {n['failureSummary'][:200]}"
        for v in found["violations"]
        for n in v["nodes"]
    ]


# Elements that stick out on the right and do not stand in a box that scrolls by itself.
STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const boxed = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
    if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
  return [[document.documentElement.scrollWidth - width], ...[...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > width && !boxed(e))
    .map(e => [e.tagName, e.className.baseVal ?? e.className, e.textContent.trim().slice(0, 40)])].slice(0, 5);
}"""


def sideways(page: Page) -> list:
    """By how many pixels the page can be scrolled sideways, and what sticks out; empty when it cannot."""
    return page.evaluate(STICKING_OUT)


WIDTHS = (1280, 390)


def troubles(page: Page, widths: Sequence[int] = WIDTHS) -> list[str]:
    """Faults at `widths`; sideways scrolling at 320 px (400 % zoom of 1280) and with text twice as large.
    Leaves the page at desk width."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width} px: {fault}" for fault in faults(page)]
    page.set_viewport_size({"width": 320, "height": 900})
    if wide := sideways(page):
        found.append(f"320 px: scrolls sideways: {wide}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if wide := sideways(page):
            found.append(f"{width} px, text at 200 %: scrolls sideways: {wide}")
        page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@pytest.mark.parametrize(
    ("language", "widths"),
    [
        ("zh-hans", [390]),
        ("en", [1280]),
        pytest.param("zh-hans", WIDTHS, marks=pytest.mark.long),
        pytest.param("en", WIDTHS, marks=pytest.mark.long),
    ],
)
def test_every_page_is_without_fault(site, visit, language, widths):
    """Chinese and English, phone and desk; also a wrong form, an empty home and a refusal.

    What is written is read at every width in both; axe reads each page once a language, and all in the long form.
    """
    found: dict[str, list[str]] = {}
    page = {person: visit(person, language=language).new_page() for person in set(map(visitor, site.pages))}
    for name, url in site.pages.items():
        page[visitor(name)].goto(url)
        found[name] = troubles(page[visitor(name)], widths)
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
    page.evaluate("document.querySelector('h1').style.width = '500px'")
    assert sideways(page)


def test_every_byte_is_ours_and_nothing_is_blocked(site, visit):
    """No request leaves this server; no script or style is refused; no error in the console."""
    asked, said = set(), []
    pages = {person: visit(person).new_page() for person in set(map(visitor, site.pages))}
    for page in pages.values():
        page.on("request", lambda request: asked.add(request.url))
        page.on(
            "console",
            lambda message: said.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: said.append(str(error)))
    for name, url in site.pages.items():
        if name == "missing":
            continue  # its own 404 stands in the console
        pages[visitor(name)].goto(url)
        pages[visitor(name)].wait_for_load_state("networkidle")
    page = pages["clerk"]
    page.goto("/")
    assert said == []
    assert asked and all(url.startswith((f"{site.address}/", "data:")) for url in asked)
    assert any("echarts" in url for url in asked)  # control: scripts were asked for
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    for _ in range(100):
        if any("Content Security Policy" in text for text in said):  # control: the policy is there
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
