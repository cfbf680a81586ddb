// The counter's page: one screen at a time, drawn anew whenever something changed. till.js is what it stands on.

import { Camera } from "./camera.js";
import { el, setSprite } from "./dom.js";
import { feel, wake } from "./feel.js";
import { fen } from "./money.js";
import * as screens from "./screens.js";
import { openStore } from "./store.js";
import { SESSION, Till } from "./till.js";
import { listen } from "./wedge.js";
import { has, language, setLanguage, setWords, t } from "./words.js";

const SAME_CODE = 4_000; // a code held before the camera is read many times and meant once

class App {
  constructor(files, root) {
    Object.assign(this, { files, root, screen: "taking", session: null, service: "", quantity: 1, quote: null, answer: null, about: null, note: null, busy: false, report: false });
    this.lastScan = { text: "", at: 0 };
    this.ticks = [];
    this.video = el("video", { muted: true, playsinline: true, "aria-hidden": "true" });
    this.camera = new Camera(this.video, files, (text) => this.seen(text));
    this.cameraState = "off"; // off, starting, on, or why not: denied, missing, broken
  }

  async begin() {
    this.store = await openStore();
    setLanguage((await this.store.fact("language")) ?? document.documentElement.lang.toLowerCase());
    this.till = new Till(this.store, { language });
    await this.till.load();
    this.service = (await this.store.fact("service")) ?? "";
    this.till.addEventListener("change", () => this.draw({ keepFocus: true }));
    this.till.addEventListener("tick", () => this.draw({ keepFocus: true }));
    listen(document, (text) => this.scanned(text));
    document.addEventListener("pointerdown", wake, { once: true });
    setInterval(() => this.ticks.forEach((tick) => tick()), 1000);
    if (this.till.token) this.till.start();
    this.show(this.till.token ? "taking" : "enrol");
    if (this.till.token && (await this.store.fact("camera"))) this.openCamera();
  }

  // Screens

  show(screen, more = {}) {
    Object.assign(this, { screen, note: null }, more);
    this.draw();
  }

  draw({ keepFocus = false } = {}) {
    if (!this.till.token && this.screen !== "enrol") this.screen = "enrol";
    const focused = keepFocus ? document.activeElement?.dataset?.name : "";
    // What somebody is typing into is not drawn anew under the fingers.
    if (keepFocus && screens.TYPING.includes(this.screen) && document.activeElement?.matches?.("input")) {
      screens.bar(this, this.root.querySelector("header"));
      return;
    }
    this.ticks = [];
    const made = screens[this.screen](this);
    document.body.dataset.screen = this.screen;
    document.body.dataset.tone = made.tone ?? "";
    const header = el("header.bar");
    screens.bar(this, header);
    document.querySelector("body > footer")?.remove(); // each screen has its own
    if (!made.foot.querySelector("nav")) made.foot.append(el("nav.below", { "aria-label": t("more") }, screens.call(this)));
    this.root.replaceChildren(header, made.main, made.foot);
    if (this.video.isConnected && this.video.srcObject) this.video.play().catch(() => {});
    const again = focused && this.root.querySelector(`[data-name="${CSS.escape(focused)}"]`);
    if (again) again.focus();
    else if (!keepFocus) {
      this.root.querySelector("[data-first]")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }

  say(text) {
    const live = document.getElementById("said");
    live.textContent = "";
    live.textContent = text;
  }

  async speak(other) {
    setLanguage(other);
    await this.store.keepFact("language", other);
    this.till.learn();
    this.draw();
  }

  // Who

  async openCamera() {
    this.cameraState = "starting";
    this.draw({ keepFocus: true });
    try {
      await this.camera.start();
      this.cameraState = "on";
      await this.store.keepFact("camera", true);
    } catch (error) {
      this.cameraState = { NotAllowedError: "denied", NotFoundError: "missing" }[error?.name] ?? "broken";
    }
    this.draw({ keepFocus: true });
  }

  async closeCamera() {
    this.camera.stop();
    this.cameraState = "off";
    await this.store.keepFact("camera", undefined);
    this.draw();
  }

  /** From the camera: only where a code is waited for, and each code once. */
  seen(text) {
    const now = Date.now();
    const still = text === this.lastScan.text && now - this.lastScan.at < SAME_CODE;
    if (still) this.lastScan.at = now;
    if (still || this.screen !== "taking") return;
    this.lastScan = { text, at: now };
    this.scanned(text);
  }

  /** From the camera, the USB scanner or the keyboard: the next person, whatever stood on the screen. */
  async scanned(text) {
    if (!this.till.token || this.busy) return;
    this.startedAt = performance.now();
    const found = await this.till.identify(text);
    if (!found.ok) return this.refuse({ title: t("not_taken"), why: t(`id_${found.code}`), next: t(`id_${found.code}_next`) });
    this.session = { ...found, pin: "", name: "", until: this.till.now() + SESSION };
    if (found.needsPin) return this.show("pin");
    await this.check();
  }

  async withPin(pin) {
    this.session.pin = pin;
    await this.check();
  }

  // What

  chosen() {
    const services = this.till.services();
    return services.find((service) => service.code === this.service) ?? services[0] ?? null;
  }

  async choose(code) {
    this.service = code;
    this.quantity = 1;
    await this.store.keepFact("service", code);
    if (this.screen === "check") await this.check();
    else this.draw({ keepFocus: true });
  }

  async setQuantity(quantity) {
    this.quantity = Math.max(1, Math.min(quantity, 20));
    await this.check();
  }

  /** The page to look at before anything is spent; the price comes from the server where it can be reached. */
  async check() {
    const service = this.chosen();
    if (!service) return this.refuse({ title: t("nothing_sold"), why: t("nothing_sold_why"), next: t("nothing_sold_next") });
    this.request = this.till.request(this.session, service, this.quantity);
    this.quote = null;
    const asked = this.request;
    this.show("check");
    if (!this.till.online) return;
    const answer = await this.till.quote(asked);
    if (this.request !== asked || this.screen !== "check") return; // somebody else stands there now
    if (answer.ok) {
      this.quote = answer.body;
      this.session.name = answer.body.elder ?? "";
      this.quotedAfter = performance.now() - this.startedAt;
      this.draw({ keepFocus: true });
      this.say(t("check_said", { service: service.name, n: this.quantity, cash: screens.yuan(fen(answer.body.price.self_pay)) }));
    } else if (answer.problem) this.refuse(this.sentence(answer.problem));
    else this.draw({ keepFocus: true });
  }

  sentence({ code, detail }) {
    const next = `next_${code}`;
    return { title: t("not_taken"), why: detail || t("refused_unknown"), next: has(next) ? t(next) : t("next_any"), code };
  }

  async take() {
    if (this.busy) return;
    this.busy = true;
    this.startedAt = performance.now();
    this.draw();
    try {
      const done = await this.till.take(this.request);
      this.answeredAfter = performance.now() - this.startedAt;
      if (done.kind === "no") this.refuse(this.sentence({ code: done.record.receipt.code, detail: done.record.receipt.detail }));
      else if (done.kind === "stop") this.refuse({ title: t("stop"), why: screens.capSentence(done.cap), next: t("stop_next") });
      else this.answered(done.kind === "yes" ? "yes" : "look", done.record);
    } catch (error) {
      console.error(error);
      this.refuse({ title: t("not_taken"), why: t("not_kept"), next: t("not_kept_next") });
    } finally {
      this.busy = false;
    }
  }

  answered(tone, record) {
    if (record.receipt?.elder) this.session.name = record.receipt.elder;
    this.show("answer", { answer: { tone, key: record.key }, quantity: 1 });
    feel(tone);
    this.say(this.root.querySelector("[data-said]")?.textContent ?? "");
  }

  refuse(about) {
    this.show("answer", { answer: { tone: "no", ...about } });
    feel("no");
    this.say(`${about.title}. ${about.why} ${about.next}`);
  }

  another() {
    if (this.session && this.till.now() < this.session.until) this.check();
    else this.nextPerson();
  }

  nextPerson() {
    this.session = null;
    this.quote = null;
    this.show("taking");
  }

  async undo(record, reason) {
    this.about = record.key;
    await this.till.undo(record.key, reason);
    this.show("undone");
    feel(record.undo?.state === "refused" ? "no" : "look");
  }
}

async function main() {
  const about = JSON.parse(document.getElementById("counter-files").textContent);
  setWords(JSON.parse(document.getElementById("counter-words").textContent));
  setSprite(about.sprite);
  setLanguage(document.documentElement.lang.toLowerCase());
  const root = document.getElementById("counter");
  // One window at a time: the queue is in its memory.
  const held = new Promise((go) => {
    let late = false;
    navigator.locks.request("yiquan-counter", () => {
      if (late) location.reload();
      else go(true);
      return new Promise(() => {});
    });
    setTimeout(() => go(!(late = true)), 3_000);
  });
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(about.worker, { scope: about.scope }).catch(() => {});
  if (!(await held)) {
    root.replaceChildren(screens.elsewhere());
    return;
  }
  const app = new App(about, root);
  await app.begin();
  document.documentElement.dataset.ready = "yes";
}

main().catch((error) => {
  document.getElementById("counter").replaceChildren(screens.broken(error));
});
