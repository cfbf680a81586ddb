// What this tablet signs of a serving that it takes without a network, as vouchers/terminals/signing.py checks it;
// tests/vouchers/offline_signatures.json holds both to the same. The private key never leaves the browser: not even
// this script can read it.

export const FIRST = "0".repeat(64); // before the first record there is none
const WAYS = {
  Ed25519: { make: { name: "Ed25519" }, sign: { name: "Ed25519" } },
  ES256: { make: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" } },
};

/** {algorithm, privateKey, public (base64), fingerprint}: Ed25519 where the browser has it. */
export async function newKey(algorithms = Object.keys(WAYS)) {
  const [algorithm, ...others] = algorithms;
  let pair;
  try {
    pair = await crypto.subtle.generateKey(WAYS[algorithm].make, false, ["sign", "verify"]);
  } catch (error) {
    if (!others.length) throw error;
    return newKey(others);
  }
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return { algorithm, privateKey: pair.privateKey, public: base64(raw), fingerprint: hex(await crypto.subtle.digest("SHA-256", raw)) };
}

/** What registers the key: with its own signature, as proof that it is here. */
export async function registration(own) {
  return { algorithm: own.algorithm, public: own.public, proof: await signature(own, proofText(own.fingerprint)) };
}

export function proofText(fingerprint) {
  return `yiquan terminal key 1\n${fingerprint}\n`;
}

/** {signed: {by, number, previous, value}, digest}: `body` is what is sent of the serving, without its key. */
export async function sign(own, body, { key, number, previous }) {
  const text = await record(body, { by: own.fingerprint, key, number, previous });
  const value = await signature(own, text);
  return { signed: { by: own.fingerprint, number, previous, value }, digest: await digest(text) };
}

/** The lines that are signed. */
export async function record(body, { by, key, number, previous }) {
  const way = body.elder.token === undefined ? "code" : "token";
  const lines = [
    "yiquan offline 1",
    by,
    number,
    previous,
    key,
    Date.parse(body.happened_at),
    body.premises,
    body.service,
    body.quantity,
    body.channel ?? "",
    `${way} ${await digest(body.elder[way])}`,
    body.promised ?? "",
  ];
  return lines.map((line) => `${line}\n`).join("");
}

export async function digest(text) {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

async function signature(own, text) {
  return base64(await crypto.subtle.sign(WAYS[own.algorithm].sign, own.privateKey, new TextEncoder().encode(text)));
}

function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
