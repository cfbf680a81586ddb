// The caregiver's pages with scripts: whatever is told is kept on this phone first, then sent, in its order; nothing
// leaves the queue without a receipt (counter/queue.js). Without a network the pages open as they were last seen.

import { PAPER, kindOf } from "../codes.js";
import { Camera } from "../counter/camera.js";
import * as queue from "../counter/queue.js";
import { openStore } from "../counter/store.js";
import { send } from "./send.js";
import { choose, counting, open } from "./steps.js";

const KEEP = 48 * 3_600_000; // receipts; what has none is kept for ever
const OLD = 24 * 3_600_000;
const PLACE_WAITS = 6_000;
const LONGEST = 1600; // pixels of a photo that is sent

const files = JSON.parse(document.getElementById("visit-files").textContent);
const words = JSON.parse(document.getElementById("visit-words").textContent);
const line = document.getElementById("line");
const visit = document.getElementById("visit");
const language = document.documentElement.lang;
const t = (name, places = {}) => words[name].replace(/\{(\w+)\}/g, (_, place) => places[place] ?? "");
const hour = (at) => new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);

let store;
let q;
let busy = false;
let offline = false;
let timer = 0;

function age(milliseconds) {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return t("age_now");
  return minutes < 60 ? t("age_minutes", { n: minutes }) : t("age_hours", { n: Math.floor(minutes / 60) });
}

// What is seen

function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

function paint() {
  const now = Date.now();
  const { count, oldest } = queue.load(q, now);
  const unsent = line.querySelector("[data-unsent]");
  const stranded = queue.unsent(q).some((record) => record.terminal !== q.terminal);
  const parts = count ? [t("unsent", { n: count, age: age(oldest) })] : [];
  if (q.line.shut) parts.push(t("shut"));
  if (stranded) parts.push(t("stranded"));
  if (oldest > OLD) parts.push(t("old"));
  unsent.dataset.count = String(count);
  say(unsent, parts.join(" "));
  const seen = Number(line.dataset.seenAt);
  say(line.querySelector("[data-offline]"), offline ? `${t("offline")} ${now - seen > 60_000 ? t("as_of", { time: hour(seen) }) : ""}` : "");
  for (const stop of document.querySelectorAll("[data-visit]")) {
    const waiting = counting([...q.records.values()], stop.dataset.visit).filter((record) => queue.UNSENT.includes(record.state));
    say(stop.querySelector("[data-pending]"), waiting.length ? waiting.map((record) => t(record.kind)).join(" · ") + " — " + t("kept", { time: hour(waiting.at(-1).madeAt) }) : "");
  }
  if (visit) paintVisit();
}

function paintVisit() {
  // What the server had taken before it wrote this page stands in the page itself.
  const known = visit.dataset.known.split(" ");
  const since = [...q.records.values()].filter((record) => record.work === visit.dataset.work && !known.includes(record.key));
  const page = { step: visit.dataset.step, door: Boolean(visit.dataset.door), said: Boolean(visit.dataset.said) };
  const { steps } = open(page, counting(since, visit.dataset.work));
  for (const form of visit.querySelectorAll("form[data-report]")) {
    const box = form.closest("[data-report-of]") ?? form;
    box.hidden = !steps.includes(form.dataset.report);
  }
  const told = document.querySelector("[data-told]");
  told.replaceChildren(
    ...since.sort((a, b) => a.order - b.order).map((record) => {
      const item = document.createElement("li");
      item.dataset.state = record.state;
      const text = record.state === "refused" ? t("refused", { why: record.receipt.detail }) : record.state === "accepted" ? t("taken", { time: hour(record.madeAt) }) : t("kept", { time: hour(record.madeAt) });
      if (record.state === "refused") item.className = "no";
      item.textContent = `${t(record.kind)}: ${text}`;
      return item;
    }),
  );
}

// What is kept and sent

async function pump() {
  if (busy) return;
  busy = true;
  let took = false;
  let refused = false;
  try {
    for (;;) {
      const todo = queue.next(q, Date.now());
      if (todo.wait !== undefined) {
        clearTimeout(timer);
        timer = setTimeout(pump, Math.min(todo.wait + 50, 15_000));
        break;
      }
      const key = todo.send && choose(todo.send, [...q.records.values()]);
      if (!key) break;
      await store.keepRecords(queue.begin(q, [key]));
      const record = q.records.get(key);
      const reply = await send(record, { ...record.fields, pin: record.pin ? await store.unseal(record.pin) : "" }, language);
      offline = reply.failed === "network";
      const changed = queue.settle(q, [key], reply, { now: Date.now(), chance: Math.random() });
      for (const one of changed) if (one.receipt) lighten(one);
      await store.keepRecords(changed);
      took ||= Boolean(record.receipt);
      refused ||= record.state === "refused";
      paint();
    }
  } finally {
    busy = false;
  }
  // The page itself says best what has become of it; but nothing that is being typed is lost for that.
  if (took && !offline && !refused && !queue.unsent(q).length && !typing()) location.reload();
}

function typing() {
  return [...document.querySelectorAll("#id_code, #id_pin, #id_photo")].some((input) => input.value !== "");
}

/** What the server has, the phone need not keep. */
function lighten(record) {
  delete record.photo;
  delete record.pin;
  record.fields = { kind: record.kind };
}

async function tell(form) {
  const button = form.querySelector("button.btn-big:not([data-scan])");
  if (button.disabled) return;
  button.disabled = true;
  try {
    const data = new FormData(form);
    const kind = form.dataset.report;
    const now = new Date();
    const fields = { kind, key: data.get("key"), happened_at: now.toISOString(), code: data.get("code") ?? "", quantity: data.get("quantity") ?? "" };
    if (kind === "arrived" && form.querySelector("[data-place] input").checked) Object.assign(fields, await place());
    const picked = data.get("photo");
    const photo = kind === "photo" && picked?.size ? await smaller(picked) : null;
    if ((kind === "photo" && !photo) || (kind === "confirmed" && !fields.code.trim())) {
      form.querySelector("input:not([type=hidden])").focus();
      return;
    }
    const pin = data.get("pin") ? await store.seal(data.get("pin")) : null;
    const request = { key: fields.key, who: visit.dataset.work, paper: false, fen: 0, work: visit.dataset.work, kind, address: form.getAttribute("action"), fields, photo, pin };
    await store.keepRecords(queue.keep(q, request, { now: now.getTime(), state: "waiting", terminal: q.terminal }));
    form.reset();
    form.querySelector("[name=key]").value = crypto.randomUUID();
    queue.reached(q); // somebody waits: do not sit out a pause
    paint();
    await pump();
  } finally {
    button.disabled = false;
  }
}

/** Where this phone is, asked once; nothing where that is refused or takes too long. */
function place() {
  return new Promise((done) => {
    if (!navigator.geolocation) return done({});
    const late = setTimeout(done, PLACE_WAITS, {});
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        clearTimeout(late);
        done({ longitude: coords.longitude.toFixed(6), latitude: coords.latitude.toFixed(6), accuracy_m: Math.round(coords.accuracy) });
      },
      () => {
        clearTimeout(late);
        done({});
      },
      { enableHighAccuracy: true, timeout: PLACE_WAITS, maximumAge: 60_000 },
    );
  });
}

/** The picture drawn anew, small enough for a poor line; as it is where the browser cannot. */
async function smaller(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
    return await blob.arrayBuffer();
  } catch {
    return await file.arrayBuffer();
  }
}

// The elder's code by camera

function scanning(form) {
  const box = form.querySelector("[data-camera]");
  if (!navigator.mediaDevices?.getUserMedia) return;
  box.hidden = false;
  const video = box.querySelector("video");
  const wrong = box.querySelector("[data-wrong]");
  const code = form.querySelector("#id_code");
  const camera = new Camera(video, files, (found) => {
    camera.stop();
    video.hidden = true;
    code.value = found;
    if (kindOf(found) === PAPER) form.querySelector("#id_pin").focus(); // a card needs the PIN as well
    else form.requestSubmit();
  });
  box.querySelector("[data-scan]").addEventListener("click", async () => {
    video.hidden = false;
    say(wrong, "");
    try {
      await camera.start();
    } catch (error) {
      video.hidden = true;
      say(wrong, t({ NotAllowedError: "camera_denied", NotFoundError: "camera_missing" }[error?.name] ?? "camera_broken"));
      code.focus();
    }
  });
}

// What is kept of pages

async function keepPages() {
  const pages = await caches.open(files.pages);
  const wanted = [...new Set([location.pathname, ...[...document.querySelectorAll("[data-visit]")].map((link) => link.pathname)])];
  await Promise.all(
    wanted.map(async (path) => {
      const answer = await fetch(path, { redirect: "manual" });
      if (answer.ok) await pages.put(path, answer);
    }),
  );
}

async function begin() {
  store = await openStore("yiquan-visits");
  const whose = await store.fact("caregiver");
  if (whose !== line.dataset.caregiver) {
    await globalThis.caches?.delete(files.pages); // another person's pages
    await store.keepFact("caregiver", line.dataset.caregiver);
  }
  q = queue.open(await store.records(), line.dataset.caregiver);
  await store.keepRecords(queue.restart(q));
  const old = queue.old(q, Date.now(), KEEP);
  for (const key of old) q.records.delete(key);
  await store.forget(old);
  offline = !navigator.onLine;

  for (const form of document.querySelectorAll("form[data-report]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      tell(form);
    });
    if (form.dataset.report === "confirmed") scanning(form);
    const place = form.querySelector("[data-place]");
    if (place && navigator.geolocation) place.hidden = false;
  }
  for (const form of document.querySelectorAll('form[action$="/sign-out/"]')) form.addEventListener("submit", () => globalThis.caches?.delete(files.pages));
  addEventListener("online", () => {
    offline = false;
    queue.reached(q);
    pump();
  });
  addEventListener("offline", () => {
    offline = true;
    paint();
  });
  setInterval(() => {
    paint();
    pump();
  }, 15_000);
  paint();
  document.documentElement.dataset.ready = "yes";
  if ("serviceWorker" in navigator) {
    await navigator.serviceWorker.register(files.worker, { scope: files.scope }).catch(() => {});
    if (!offline) await keepPages().catch(() => {});
    document.documentElement.dataset.kept = "yes";
  }
  await pump();
}

// Where the browser keeps nothing safely (no https), the forms work as they are.
if (isSecureContext) begin();
