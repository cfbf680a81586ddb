// What every page may do once scripts run. Without them every page still works.
"use strict";
(() => {
  // A wrong form: focus goes to the summary of what is wrong; its links lead to the fields.
  document.querySelector("[data-focus]")?.focus();

  // Buttons that need a script are hidden until there is one.
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // A regions's scroll box is in the tab order only while it really scrolls.
  const scrolls = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      const moves = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (moves) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", scrolls);
  scrolls();

  // After a part of the page was exchanged: say how much is shown now.
  document.body.addEventListener("htmx:afterSettle", () => {
    scrolls();
    const said = document.getElementById("said");
    const text = document.querySelector("[data-say]")?.dataset.say;
    if (said && text) said.textContent = text;
  });
})();
