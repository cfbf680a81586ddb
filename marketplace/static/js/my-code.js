// The elder's code changes by itself. The page carries an hour of codes, so that it goes on without a network;
// with one, the next hour is fetched long before this one ends.

import { modules, path } from "./qr.js";

const REFILL_BELOW = 60; // codes left
const TRY_EVERY = 20_000; // milliseconds

let ahead = JSON.parse(document.getElementById("ahead").textContent);
// The server's clock counts: the phone's may be minutes off.
let difference = ahead.now - Date.now();
let shown = 0;
let asked = 0;

const box = document.getElementById("code");
const drawing = box.querySelector(".qr path");
const progress = box.querySelector("progress");
const over = document.getElementById("over");

document.getElementById("anew").hidden = true;
progress.hidden = false;

function show() {
  const now = Date.now() + difference;
  const place = Math.floor((now - ahead.begins) / ahead.lasts);
  const text = ahead.tokens[place];
  box.hidden = text === undefined;
  over.hidden = text !== undefined;
  if (text !== undefined && place !== shown) {
    drawing.setAttribute("d", path(modules(text)));
    shown = place;
  }
  progress.value = 30 - Math.floor(((now - ahead.begins) % ahead.lasts) / 1000);
  if (ahead.tokens.length - place < REFILL_BELOW && navigator.onLine && Date.now() - asked > TRY_EVERY) refill();
}

async function refill() {
  asked = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    ahead = JSON.parse(page.getElementById("ahead").textContent);
    difference = ahead.now - Date.now();
    shown = -1;
    show();
  } catch {
    // No network yet; what the page carries goes on.
  }
}

// While the code is shown the screen stays lit.
const stayLit = () => navigator.wakeLock?.request("screen").catch(() => {});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  stayLit();
  show();
});
stayLit();
show();
setInterval(show, 1000);
