// Keys of the desk: search, from line to line, to the step that waits. They move the focus and press nothing: what is
// posted is pressed by the person. Switched off on the page of keys, and never while somebody types.
"use strict";
(() => {
  const KEPT = "keys";
  const off = () => localStorage.getItem(KEPT) === "off";

  const box = document.querySelector("[data-keys]");
  if (box) {
    box.closest("[hidden]")?.removeAttribute("hidden");
    box.checked = !off();
    box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  }

  const types = (element) => element?.closest("input, textarea, select, [contenteditable]");
  const shown = (element) => element.getClientRects().length > 0;
  const first = (selector) => [...document.querySelectorAll(selector)].find(shown);
  const focus = (element) => {
    if (!element) return false;
    element.focus();
    element.scrollIntoView({ block: "nearest" });
    return true;
  };
  const follow = (rel) => {
    const link = first(`main a[rel=${rel}]`);
    link?.click();
    return Boolean(link);
  };
  // Each line by the link that its head holds.
  const step = (by) => {
    const lines = [...document.querySelectorAll("main tbody tr")]
      .map((row) => row.querySelector("th a") ?? row.querySelector("a"))
      .filter((link) => link && shown(link));
    const here = lines.findIndex((link) => link.closest("tr").contains(document.activeElement));
    return focus(lines[here < 0 ? (by > 0 ? 0 : lines.length - 1) : here + by]);
  };

  const KEYS = {
    "/": () => focus(first("main input[type=search]")),
    j: () => step(1),
    k: () => step(-1),
    n: () => follow("next"),
    p: () => follow("prev"),
    a: () => focus(first("main .btn-primary:not(form[method=get] *)")),
    "?": () => { location.href = document.querySelector("a[data-keys-page]").href; return true; },
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (types(event.target) || off()) return;
    if (Object.hasOwn(KEYS, event.key) && KEYS[event.key]()) event.preventDefault();
  });
})();
