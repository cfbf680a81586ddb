"""An elder's own pages in a real browser: experience.md checks 1, 2, 8, 9 and 11, the code without a network, and the
reading of codes in JavaScript."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect

from marketplace.web import qr
from tests import databases, story
from tests.journeys.conftest import Site, serving
from tests.journeys.test_every_page import said_by_axe, sideways
from tests.web import family
from vouchers.codes.operations import elder_tokens

VECTORS = Path(settings.BASE_DIR) / "tests" / "vouchers" / "codes.json"


@pytest.fixture(scope="module")
def site(database_template: str, django_db_blocker) -> Iterator[Site]:
    """Grandma Li's town, its clock standing still, in place of the builder's city."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name), family.at():
        family.tell()
        with serving() as address:
            yield Site(address, None, family.pages())
    databases.drop(name)


@pytest.fixture
def at_home(site: Site, visit: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """at_home(width=390): Grandma Li's telephone, signed in; a page of it."""

    def open_(*, elder: str = "LI", acts_for: str = "", large: bool = False, **how) -> Page:
        context = visit("", **{"width": 390, **how})
        cookies = {
            "sessionid": family.session(elder, acts_for=acts_for),
            **({"text_size": "large"} if large else {}),
        }
        context.add_cookies(
            [{"name": name, "value": value, "url": site.address} for name, value in cookies.items()]
        )
        return context.new_page()

    return open_


# Text that is too small or too tight, what is too small to be pressed or too near to its neighbour, and more to choose
# from than one main button and five of anything.
MEASURED = """least => {
  const wrong = [];
  const seen = e => e.checkVisibility({visibilityProperty: true}) && !e.closest('.skip');
  for (const [most, what] of [[1, '.btn-primary'], [5, '.tiles > li'], [5, '.choices > .btn'], [5, '.offers > li']]) {
    const there = [...document.querySelectorAll(`main ${what}`)].filter(seen);
    if (there.length > most) wrong.push(`${there.length} ${what}, the last: ${there.at(-1).textContent.trim().slice(0, 20)}`);
  }
  for (const e of document.querySelectorAll('body *')) {
    const words = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!words || !seen(e) || e.closest('svg, script, noscript')) continue;
    const s = getComputedStyle(e), size = parseFloat(s.fontSize);
    if (size < least - .01) wrong.push(`${e.tagName}.${e.className} ${size}px: ${e.textContent.trim().slice(0, 30)}`);
    if (parseFloat(s.lineHeight) / size < 1.499) wrong.push(`${e.tagName}.${e.className} line ${s.lineHeight} of ${size}`);
  }
  const pressed = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary')].filter(seen);
  const boxes = pressed.map(e => e.getBoundingClientRect());
  pressed.forEach((e, n) => {
    const main = e.matches('.btn, .tile, .back, .text-size, .form-control'), side = main ? 60 : 44;
    const what = `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 20)}`;
    if (boxes[n].width < side - .5 || boxes[n].height < side - .5)
      wrong.push(`${what}: ${boxes[n].width} x ${boxes[n].height}`);
    boxes.slice(n + 1).forEach((other, m) => {
      if (e.closest('.help') || pressed[n + 1 + m].closest('.help')) return;
      const right = Math.max(other.left - boxes[n].right, boxes[n].left - other.right);
      const down = Math.max(other.top - boxes[n].bottom, boxes[n].top - other.bottom);
      if (Math.max(right, down) < 7.5) wrong.push(`${what} stands ${Math.max(right, down)} px from ${pressed[n + 1 + m].textContent.trim()}`);
    });
  });
  return wrong;
}"""


def faults(page: Page) -> list[str]:
    """What axe finds wrong by WCAG 2.2 A and AA, and text whose contrast is below 7:1."""
    return said_by_axe(page, length=160, rules={"color-contrast-enhanced": {"enabled": True}})


MUCH_LEFT = "document.querySelectorAll('.left strong').forEach(it => { it.textContent = '123,456.78' })"


def troubles(page: Page, *, large: bool, widths: tuple[int, ...]) -> list[str]:
    """What is wrong at `widths`, at 320 px and on a phone with text twice as large. Leaves the page at phone width."""
    found = []
    page.wait_for_load_state()
    for width in sorted({*widths, 320, 390}, key=[1280, 320, 390].index):
        page.set_viewport_size({"width": width, "height": 900})
        if width in widths:
            if not large:  # size changes no colour, name or order
                found += [f"{width} px: {fault}" for fault in faults(page)]
            found += [f"{width} px: {wrong}" for wrong in page.evaluate(MEASURED, 30 if large else 20)]
        if width == 320 and (wide := sideways(page)):
            found.append(f"320 px: scrolls sideways: {wide}")
    page.evaluate(MUCH_LEFT)
    if wide := sideways(page, "250%"):  # twice the usual 125 %
        found.append(f"390 px, text at 200 %: scrolls sideways: {wide}")
    return found


@pytest.mark.parametrize(("language", "large"), [("zh-hans", False), ("en", False), ("zh-hans", True)])
def test_every_page_can_be_read_and_pressed_by_old_eyes_and_hands(site, at_home, language, large):
    page = at_home(language=language, large=large)
    widths = (390, 1280) if language == "zh-hans" and not large else (390,)
    found = {}
    for name, url in site.pages.items():
        page.goto(url)
        found[name] = troubles(page, large=large, widths=widths)
    page.goto(site.pages["pin"])
    page.click("main button.btn-primary")
    expect(page.locator("#errors")).to_be_focused()
    found["pin, wrong"] = troubles(page, large=large, widths=widths)
    page.goto(site.pages["share"])
    page.click("main .btn-primary")
    expect(page.locator(".address")).to_be_visible()
    found["share, open"] = troubles(page, large=large, widths=widths)
    page.goto(page.locator(".address").inner_text())
    found["happy, closed door"] = troubles(page, large=large, widths=widths)
    page.click("main .btn-primary")
    expect(page.locator(".paid")).to_be_visible()
    found["happy, open"] = troubles(page, large=large, widths=widths)
    page.goto(site.pages["share"])
    page.click("main .btn")  # closed again for those who come after
    daughter = at_home(elder="", acts_for="LI", language=language, large=large)
    daughter.goto(site.pages["home"])
    expect(daughter.locator(".acting")).to_be_visible()
    found["home of a daughter"] = troubles(daughter, large=large, widths=widths)
    page = at_home(elder="SUN", language=language, large=large)  # she has spent nothing
    for name in ("spent", "record"):
        page.goto(site.pages[name])
        found[f"{name}, empty"] = troubles(page, large=large, widths=widths)
    wrong = [f"{name}: {one}" for name, those in found.items() for one in those]
    assert not wrong, "\n".join(wrong)


def test_control_small_pale_and_crowded_is_noticed(site, at_home):
    page = at_home()
    page.goto(site.pages["home"])
    assert page.evaluate(MEASURED, 20) == [] and faults(page) == []
    page.evaluate(
        "const main = document.querySelector('main');"
        "main.querySelector('h1').style.fontSize = '19px'; main.querySelector('.muted').style.color = '#5c5c5c';"
        "main.querySelector('.btn').style.minHeight = '40px'; main.querySelector('.btn').style.padding = '0';"
        "main.querySelector('.tiles').style.gap = '2px'; main.querySelector('details').open = true"
    )
    said = " ".join(page.evaluate(MEASURED, 20))
    assert "19px" in said and "Show" not in said and " x " in said and "px from" in said
    assert " .tiles > li, the last" in said
    assert {fault.split(":")[0] for fault in faults(page)} >= {"color-contrast-enhanced"}


def test_nothing_is_blocked_and_every_byte_is_ours(site, at_home):
    page = at_home()
    asked, said = set(), []
    page.on("request", lambda request: asked.add(request.url))
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for url in site.pages.values():
        page.goto(url)
        page.wait_for_load_state("networkidle")
    assert said == []
    assert all(url.startswith((f"{site.address}/", "data:")) for url in asked)
    assert any("pictograms" in url for url in asked)  # control


def test_larger_text_is_one_press_away(site, at_home):
    page = at_home()
    page.goto("/my/wallet/")
    size = "parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)"
    assert page.evaluate(size) == 20
    page.get_by_role("button", name="大字").click()
    expect(page.get_by_role("button", name="标准字")).to_be_visible()
    page.wait_for_load_state()
    assert page.evaluate(size) == 30 and page.url.endswith("/my/wallet/")


def drawings() -> list[str]:
    """The hour's codes as they must be drawn, by the server's own encoder."""
    tokens = elder_tokens(elder=story.elder_named("LI"), at=family.NOW, windows=121)
    return [qr.on_screen(text).path for _begins, text in tokens]


def test_the_code_changes_by_itself_for_an_hour_without_a_network(site, at_home):
    page = at_home()
    page.clock.install()
    page.goto(site.pages["code"])
    drawn = page.locator("#code svg path")
    hour = drawings()
    expect(drawn).to_have_attribute("d", hour[0])
    expect(page.locator("#anew")).to_be_hidden()
    page.context.set_offline(True)
    for minutes, window in (("00:31", 1), ("28:59", 59), ("30:10", 119)):
        page.clock.fast_forward(minutes)
        expect(drawn).to_have_attribute("d", hour[window])
    expect(page.locator("#over")).to_be_hidden()
    page.clock.fast_forward("01:00")
    expect(page.locator("#over")).to_be_visible()
    expect(page.locator("#code")).to_be_hidden()
    page.context.set_offline(False)
    page.clock.fast_forward("00:30")
    expect(drawn).to_have_attribute("d", hour[0])  # the server's clock stands still
    expect(page.locator("#code")).to_be_visible()


def test_without_scripts_the_code_of_now_is_there_and_the_page_fetches_the_next(site, at_home):
    page = at_home(scripts=False)
    page.goto(site.pages["code"])
    expect(page.locator("#code svg path")).to_have_attribute("d", drawings()[0])
    expect(page.locator("#anew")).to_be_visible()
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page.content()


def test_without_scripts_everything_else_works(site, at_home):
    page = at_home(scripts=False)
    page.goto("/my/")
    page.click("main >> text=我的消费券")
    expect(page.locator("main")).to_contain_text("PA 券")
    page.click("text=首页")
    for name, words in (("花在哪里", "MEAL"), ("幸福清单", "政府补")):
        page.click("main >> text=更多")
        page.click(f"main >> text={name}")
        expect(page.locator("main")).to_contain_text(words)
        page.click("text=首页")
    page.click("main >> text=更多")
    page.click("main >> text=我的密码")
    page.fill("#id_pin", "123456")
    page.fill("#id_again", "123456")
    page.click("main button.btn-primary")
    expect(page.locator("#errors")).to_contain_text("太容易被猜到")


def test_the_happy_list_prints(site, at_home):
    page = at_home()
    page.goto(site.pages["record"])
    expect(page.get_by_role("button", name="打印")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in (".family-top", "footer.help", ".more"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


# The same codes, read by JavaScript (marketplace/static/js/codes.js)

READ = """async vectors => {
  const codes = await import('/static/js/codes.js');
  const keys = vectors.public_keys;
  const read = (text, audience) => codes.readToken(text, {keys, audience});
  const flipped = [];
  const good = vectors.genuine[2].text, letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
  for (let n = 0; n < good.length; n += 1)
    for (const other of [letters[(letters.indexOf(good[n]) + 1) % 45], 'é'])
      if ((await read(good.slice(0, n) + other + good.slice(n + 1), 1)).ok) flipped.push(n);
  return {
    genuine: await Promise.all(vectors.genuine.map(one => read(one.text, one.audience))),
    refused: await Promise.all(vectors.refused.map(one => read(one.text, 1))),
    fresh: vectors.fresh.map(one => codes.isFresh(one.window, one.at * 1000)),
    typed: vectors.typed.map(codes.isWhole),
    checked: vectors.typed.map(one => codes.checkDigit(one.slice(0, 11)) === one[11]),
    notTyped: vectors.not_typed.map(codes.isWhole),
    plain: codes.plain('1234 5678-9012'),
    flipped,
  };
}"""


def test_javascript_reads_what_python_made(site, visit):
    page = visit("").new_page()
    page.goto("/sign-in/")
    vectors = json.loads(VECTORS.read_text("utf-8"))
    read = page.evaluate(READ, vectors)
    for case, said in zip(vectors["genuine"], read["genuine"], strict=True):
        assert said == {
            "ok": True, "kind": case["kind"], "audience": case["audience"], "number": case["number"],
            "serial": case["serial"], "keyId": case["key_id"], "verified": True,
        }  # fmt: skip
    assert [said.get("code") for said in read["refused"]] == [case["code"] for case in vectors["refused"]]
    assert read["fresh"] == [case["fresh"] for case in vectors["fresh"]]
    assert all(read["typed"]) and all(read["checked"]) and not any(read["notTyped"])
    assert read["plain"] == "123456789012" and read["flipped"] == []


def test_a_browser_that_cannot_check_says_so(site, visit):
    page = visit("").new_page()
    page.goto("/sign-in/")
    vectors = json.loads(VECTORS.read_text("utf-8"))
    page.evaluate(
        "Object.defineProperty(crypto.subtle, 'importKey', {value: () => Promise.reject(new DOMException('no', 'NotSupportedError'))})"
    )
    said = page.evaluate(READ, vectors)["genuine"]
    assert [one["ok"] for one in said] == [True] * len(said) and not any(one["verified"] for one in said)
