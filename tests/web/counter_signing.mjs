// What a tablet signs, held to the vectors that the server is held to (tests/vouchers/test_signing.py); and the till's
// chain of records, on a store that is a Map. Run by test_counter.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as queue from "../../marketplace/static/js/counter/queue.js";
import * as signing from "../../marketplace/static/js/counter/signing.js";
import { Till } from "../../marketplace/static/js/counter/till.js";

const { keys, records } = JSON.parse(readFileSync(new URL("../vouchers/offline_signatures.json", import.meta.url)));
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const WAYS = {
  Ed25519: [{ name: "Ed25519" }, { name: "Ed25519" }],
  ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
};

async function isSigned(algorithm, key, text, value) {
  const [kind, how] = WAYS[algorithm];
  const checker = await crypto.subtle.importKey("raw", bytes(key), kind, true, ["verify"]);
  return crypto.subtle.verify(how, checker, bytes(value), new TextEncoder().encode(text));
}

const owned = {};
for (const [algorithm, key] of Object.entries(keys)) {
  const privateKey = await crypto.subtle.importKey("pkcs8", bytes(key.private_pkcs8), WAYS[algorithm][0], false, ["sign"]);
  owned[algorithm] = { algorithm, privateKey, public: key.public, fingerprint: key.fingerprint };
  assert.ok(await isSigned(algorithm, key.public, signing.proofText(key.fingerprint), key.proof));
  const told = await signing.registration(owned[algorithm]);
  assert.ok(await isSigned(algorithm, key.public, signing.proofText(key.fingerprint), told.proof));
}
for (const one of records) {
  const own = owned[one.algorithm];
  const place = { by: own.fingerprint, key: one.key, number: one.number, previous: one.previous };
  assert.equal(await signing.record(one.body, place), one.text);
  assert.ok(await isSigned(one.algorithm, own.public, one.text, one.value)); // what the server would take
  const made = await signing.sign(own, one.body, place);
  assert.equal(made.digest, one.digest);
  assert.ok(await isSigned(one.algorithm, own.public, one.text, made.signed.value));
  if (one.algorithm === "Ed25519") assert.equal(made.signed.value, one.value); // always the same
  assert.ok(!(await isSigned(one.algorithm, own.public, one.text.replace("PM01", "PM02").replace("食堂一", "食堂二"), one.value)));
}

// A new key cannot be read out; where Ed25519 is not known, P-256 is taken.

const fresh = await signing.newKey();
assert.equal(fresh.algorithm, "Ed25519");
await assert.rejects(crypto.subtle.exportKey("pkcs8", fresh.privateKey));
const generate = crypto.subtle.generateKey;
crypto.subtle.generateKey = function (kind, ...rest) {
  if (kind.name === "Ed25519") throw new DOMException("not known", "NotSupportedError");
  return generate.call(this, kind, ...rest);
};
const older = await signing.newKey();
delete crypto.subtle.generateKey;
assert.deepEqual([older.algorithm, bytes(older.public).length], ["ES256", 65]);

// The chain of a till: each record once, each with the digest of the one before, the same after a restart.

class Kept {
  facts = new Map();
  written = [];
  broken = false;
  async fact(name) {
    return structuredClone(this.facts.get(name)); // CryptoKeys too
  }
  async keepFact(name, value) {
    this.facts.set(name, value);
  }
  async keepRecords(changed, facts = {}) {
    if (this.broken) throw new Error("the disk is full");
    this.written.push(...changed.map((record) => ({ ...record })));
    for (const [name, value] of Object.entries(facts)) this.facts.set(name, structuredClone(value));
  }
}
globalThis.navigator ??= { onLine: false };
const warned = [];
console.warn = (error) => warned.push(String(error));
const store = new Kept();
const till = new Till(store, { language: () => "en" });
Object.assign(till, { token: "yt_x" });
till.queue.terminal = "one";
let made = 0;
const serve = () => {
  made += 1;
  const request = { key: `k${made}`, who: "n:1", paper: false, fen: 1200, premises: "PM01", service: { code: "LUNCH" }, quantity: 1, credential: { code: "LI" }, happenedAt: "2026-07-01T03:30:00.000Z", channel: "pin" };
  return queue.keep(till.queue, request, { now: made, state: "waiting", terminal: till.queue.terminal })[0];
};
const first = serve();
serve();
await Promise.all([till.sign(), till.sign(), (serve(), till.sign())]); // three at once: one hand
const chain = [...till.queue.records.values()].map((record) => record.signed);
assert.deepEqual(chain.map((signed) => signed.number), [1, 2, 3]);
assert.equal(chain[0].previous, signing.FIRST);
assert.equal(new Set(chain.map((signed) => signed.previous)).size, 3);
assert.equal(store.facts.get("signing").number, 3);

store.broken = true; // what could not be kept was not signed
const late = serve();
await till.sign();
assert.equal(late.signed, undefined);
assert.equal(warned.length, 1);
store.broken = false;
await till.sign();
assert.equal(late.signed.number, 4);

// Enrolled anew: what was never sent is signed by the new key, what was sent under the old one is left as it is.
first.tries = 1;
till.queue.terminal = "two";
const before = first.signed;
await till.sign();
assert.equal(first.signed, before);
assert.deepEqual([...till.queue.records.values()].slice(1).map((record) => record.signed.number), [1, 2, 3]);
assert.notEqual(late.signed.by, before.by);
console.log("ok");
