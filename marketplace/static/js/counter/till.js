// The counter without its face: what it knows, what it does. Screens ask it and listen to it.
//
// Everything that must survive is in the store before it counts. One window at a time holds the lock "counter";
// so what is in memory here is what is in the store.

import { identify } from "./identify.js";
import { call } from "./link.js";
import { fen } from "./money.js";
import * as protocol from "./protocol.js";
import * as queue from "./queue.js";
import * as signing from "./signing.js";

export const SESSION = 5 * 60_000; // one scan serves its own counter this long (rules of the codes)
export const UNDO = 10 * 60_000;
const KEEP = 14 * 24 * 3_600_000;
const BEAT = 30_000;
const SOON = 4_000;

export class Till extends EventTarget {
  constructor(store, { language }) {
    super();
    Object.assign(this, { store, language, token: "", me: null, skew: 0, online: navigator.onLine, queue: queue.open(), pumping: false, timer: 0 });
    this.hand = Promise.resolve(); // one signature after another: each bears the digest of the one before
  }

  async load() {
    const [records, token, me, skew] = await Promise.all([
      this.store.records(),
      this.store.fact("token"),
      this.store.fact("me"),
      this.store.fact("skew"),
    ]);
    Object.assign(this, { token: token ?? "", me: me ?? null, skew: skew ?? 0 });
    this.queue = queue.open(records, await this.terminal());
    if (await this.store.fact("shut")) this.queue.line.shut = "shut";
    await this.store.keepRecords(queue.restart(this.queue));
    const gone = queue.old(this.queue, this.now(), KEEP);
    await this.store.forget(gone);
    for (const key of gone) this.queue.records.delete(key);
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.see(false));
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  start() {
    this.wake();
    setInterval(() => this.beat(), BEAT);
  }

  /** Now by the server's clock: cheap tablets are minutes wrong. */
  now() {
    return Date.now() + this.skew;
  }

  /** What tells this enrolment from another; not the token itself. */
  async terminal() {
    if (!this.token) return "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(this.token));
    return Array.from(new Uint8Array(digest).slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  said(name = "change") {
    this.dispatchEvent(new Event(name));
  }

  see(online) {
    if (this.online === online) return;
    this.online = online;
    this.said();
  }

  /** One call; what it tells of the line and the clock is noted. */
  async ask(path, options = {}) {
    const answer = await call(`/api/v1/${path}`, { token: this.token, language: this.language(), ...options });
    if (answer.date && answer.took < 3_000) {
      const skew = answer.date + 500 - Date.now(); // the header has whole seconds
      if (Math.abs(skew - this.skew) > 2_000) {
        this.skew = Math.abs(skew) > 2_000 ? skew : 0;
        await this.store.keepFact("skew", this.skew);
      }
    }
    this.see(answer.failed !== "network");
    return answer;
  }

  // Enrolment and what the canteen sells

  async enrol(code) {
    const answer = await this.ask("enrolments", { method: "POST", body: { code }, token: "" });
    if (!answer.ok) return answer;
    this.token = answer.body.token;
    await this.store.keepFact("token", this.token);
    this.queue.terminal = await this.terminal();
    await this.shutOut(false);
    await this.learn();
    return { ok: true };
  }

  async learn() {
    if (!this.token) return;
    const answer = await this.ask("terminals/me");
    if (answer.ok) {
      this.me = answer.body;
      await this.store.keepFact("me", this.me);
      if (this.shut) await this.shutOut(false);
      this.said();
      await this.register();
    } else if (answer.failed === "shut") {
      await this.shutOut(true);
      this.said();
    }
  }

  // Signing: what is taken on trust bears the signature of this enrolment's own key.

  /** The key of this enrolment, made the first time; nothing where the browser cannot make or keep one. */
  async ownKey() {
    const { terminal } = this.queue;
    const kept = await this.store.fact("signing");
    if (kept?.terminal === terminal) return kept;
    const made = { terminal, ...(await signing.newKey()), number: 0, digest: signing.FIRST };
    await this.store.keepFact("signing", made);
    return made;
  }

  async register() {
    try {
      const own = await this.inTurn(() => this.ownKey());
      if (this.me.signs_as === own.fingerprint) return;
      const answer = await this.ask("terminals/me/key", { method: "POST", body: await signing.registration(own) });
      if (answer.ok) {
        this.me = { ...this.me, signs_as: answer.body.signs_as };
        await this.store.keepFact("me", this.me);
      }
    } catch (error) {
      console.warn(error); // without a key it serves as terminals without one do
    }
  }

  /** Signs what waits and is not signed by this key; record and chain are kept in one write. */
  sign() {
    return this.inTurn(() => this.signWaiting()).catch((error) => console.warn(error)); // tried again before it is sent
  }

  inTurn(act) {
    const done = this.hand.then(act);
    this.hand = done.catch(() => {});
    return done;
  }

  async signWaiting() {
    const waiting = queue.unsent(this.queue).filter((record) => record.state === "waiting" && !queue.isStranded(this.queue, record));
    if (!waiting.length || !this.token) return;
    const own = await this.ownKey();
    const bare = waiting.filter((record) => record.signed?.by !== own.fingerprint);
    try {
      for (const record of bare) {
        const made = await signing.sign(own, protocol.body(record, ""), { key: record.key, number: own.number + 1, previous: own.digest });
        record.signed = made.signed;
        Object.assign(own, { number: own.number + 1, digest: made.digest });
      }
      await this.store.keepRecords(bare, { signing: own });
    } catch (error) {
      for (const record of bare) delete record.signed; // the chain is as it was
      throw error;
    }
  }

  /** Remembered, for a tablet that was revoked must not go on without a network. */
  async shutOut(yes) {
    if (yes) this.queue.line = { ...this.queue.line, shut: "shut" };
    else queue.opened(this.queue);
    await this.store.keepFact("shut", yes || undefined);
  }

  get shut() {
    return this.queue.line.shut === "shut";
  }

  services() {
    const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(this.now());
    return (this.me?.services ?? [])
      .map((service) => ({
        ...service,
        prices: service.prices.filter((price) => price.valid_from <= today && (!price.valid_until || today <= price.valid_until)),
      }))
      .filter((service) => service.prices.length);
  }

  /** The most that a quantity of a service may cost, in fen: what is at stake when it is taken on trust. */
  atStake(service, quantity) {
    return Math.max(0, ...service.prices.map((price) => fen(price.elder))) * quantity;
  }

  caps() {
    return this.me ? protocol.caps(this.me.caps) : null;
  }

  load_() {
    return queue.load(this.queue, this.now());
  }

  // Taking

  identify(text) {
    return identify(text, { keys: this.me?.keys ?? {}, now: this.now(), trust: !this.online });
  }

  quote(request) {
    return this.ask("quotes", { method: "POST", body: protocol.body(request, request.pin), patience: 2_500 });
  }

  /** Made by the page: who (a session), service, quantity. The key is made here, once, and kept. */
  request(session, service, quantity) {
    const at = this.now();
    return {
      key: crypto.randomUUID(),
      who: session.who,
      paper: session.shape !== "moving",
      short: session.short,
      fen: this.atStake(service, quantity),
      service: { code: service.code, name: service.name },
      quantity,
      premises: this.me.premises.code,
      credential: session.credential,
      channel: session.channel,
      happenedAt: new Date(at).toISOString(),
      pin: session.pin ?? "",
    };
  }

  /**
   * Takes a serving: {kind: "yes", record} | {kind: "no", record, problem} | {kind: "trust", record} |
   * {kind: "stop", cap} where nothing may be served.
   */
  async take(request) {
    const { pin, ...kept } = request;
    if (pin) kept.sealed = await this.store.seal(pin);
    const over = () => queue.overCap(this.queue, kept, this.caps(), this.now());
    if (this.shut) return { kind: "stop", cap: { cap: "shut" } };
    const known = this.online && navigator.onLine;
    if (!known) {
      const cap = over();
      if (cap) return { kind: "stop", cap };
    }
    const cap = over(); // reckoned before this one is in the queue
    const begun = queue.keep(this.queue, kept, { now: this.now(), state: known ? "asking" : "waiting", terminal: this.queue.terminal });
    try {
      await this.store.keepRecords(begun);
    } catch (error) {
      this.queue.records.delete(kept.key); // the device cannot keep it: nothing was sent, nothing is served
      throw error;
    }
    const record = this.queue.records.get(kept.key);
    this.said();
    if (!known) {
      await this.sign();
      this.later(0);
      return { kind: "trust", record };
    }
    const answer = await this.ask("redemptions", {
      method: "POST",
      body: protocol.body(kept, pin),
      headers: { "Idempotency-Key": kept.key },
    });
    const reply = protocol.ofOne(kept.key, answer);
    await this.keep(queue.settle(this.queue, [kept.key], reply, { now: this.now(), chance: Math.random() }));
    if (answer.failed === "shut") await this.shutOut(true);
    this.said();
    if (this.shut) return { kind: "stop", cap: { cap: "shut" } };
    if (record.state === "accepted") return { kind: "yes", record };
    if (record.state === "refused") return { kind: "no", record };
    if (record.state === "review") return { kind: "trust", record };
    await this.sign();
    this.later(SOON);
    if (!cap) return { kind: "trust", record };
    // It may have been spent: it stays until its receipt comes, and is then taken back.
    await this.store.keepRecords(queue.askUndo(this.queue, kept.key, { reason: "not_served", now: this.now() }));
    return { kind: "stop", cap };
  }

  /** Stores what changed; what identified the elder goes as soon as there is a receipt. */
  async keep(changed) {
    for (const record of changed) {
      if (!record.receipt) continue;
      delete record.sealed;
      delete record.credential;
    }
    await this.store.keepRecords(changed);
  }

  async undo(key, reason) {
    await this.store.keepRecords(queue.askUndo(this.queue, key, { reason, now: this.now() }));
    this.said();
    await this.pump();
  }

  mayUndo(record) {
    return !record.undo && record.state !== "refused" && this.now() - Date.parse(record.happenedAt) < UNDO;
  }

  // Sending

  wake() {
    queue.reached(this.queue);
    this.pump();
    this.learn();
  }

  beat() {
    if (document.hidden) return;
    if (this.shut || !this.load_().count) this.learn();
    else this.pump();
    this.said("tick");
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), milliseconds);
  }

  /** Sends what waits, batch by batch, until nothing is left to do now. */
  async pump() {
    if (this.pumping || !this.token) return;
    this.pumping = true;
    clearTimeout(this.timer);
    try {
      for (;;) {
        const step = queue.next(this.queue, this.now());
        if (step.send) await this.sendBatch(step.send);
        else if (step.undo) await this.sendUndo(step.undo);
        else {
          if (step.wait) this.later(step.wait + 50);
          return;
        }
        this.said();
      }
    } finally {
      this.pumping = false;
    }
  }

  async sendBatch(keys) {
    await this.sign(); // what a killed tab, or an earlier version, had left without
    await this.store.keepRecords(queue.begin(this.queue, keys));
    const records = keys.map((key) => this.queue.records.get(key));
    const pins = await Promise.all(records.map((record) => (record.sealed ? this.store.unseal(record.sealed) : "")));
    const answer = await this.ask("offline-batches", { method: "POST", body: protocol.batch(records, pins), patience: 30_000 });
    const reply = protocol.ofBatch(answer);
    await this.keep(queue.settle(this.queue, keys, reply, { now: this.now(), chance: Math.random() }));
  }

  async sendUndo(key) {
    await this.store.keepRecords(queue.beginUndo(this.queue, key));
    const record = this.queue.records.get(key);
    const answer = await this.ask(`redemptions/${record.receipt.number}/reversal`, {
      method: "POST",
      body: { reason: record.undo.reason },
    });
    const changed = queue.settleUndo(this.queue, key, protocol.ofUndo(answer), { now: this.now(), chance: Math.random() });
    await this.store.keepRecords(changed);
  }

  // Today

  today() {
    const day = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });
    const today = day.format(this.now());
    return [...this.queue.records.values()]
      .filter((record) => day.format(Date.parse(record.happenedAt)) === today || queue.UNSENT.includes(record.state))
      .sort((a, b) => b.order - a.order);
  }
}

/** Sums for a shift: what counts, in fen, and what does not. */
export function takings(records) {
  const sums = { served: 0, quantity: 0, vouchers: 0, government: 0, charity: 0, concession: 0, cash: 0, undone: 0, unsent: 0, unsentFen: 0, refused: 0, review: 0 };
  const services = new Map();
  for (const record of records) {
    if (record.undo?.state === "done") sums.undone += 1;
    else if (record.state === "accepted") {
      const price = record.receipt.price;
      sums.served += 1;
      sums.quantity += record.quantity;
      for (const part of ["vouchers", "government", "charity", "concession"]) sums[part] += fen(price[part]);
      sums.cash += fen(price.self_pay);
      const line = services.get(record.service.code) ?? { name: record.service.name, served: 0, quantity: 0, vouchers: 0, cash: 0 };
      line.served += 1;
      line.quantity += record.quantity;
      line.vouchers += fen(price.vouchers);
      line.cash += fen(price.self_pay);
      services.set(record.service.code, line);
    } else if (queue.UNSENT.includes(record.state)) {
      sums.unsent += 1;
      sums.unsentFen += record.fen;
    } else if (record.trusted) sums[record.state] += 1; // what was refused before it was served is no business of the shift's
  }
  return { ...sums, services: [...services.values()] };
}
