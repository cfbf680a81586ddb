// Elders' codes as vouchers/codes/token.py and digits.py make them; tests/vouchers/codes.json holds both to the same.
// A module without page: the counter reads tokens with it when the network is gone.

const PREFIX = "YQ:";
const CONTEXT = new TextEncoder().encode("yiquan token 1\0");
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"; // base45, RFC 9285
const SIGNED_BYTES = 15;
const BYTES = 79;
const LENGTH = 122;
const WINDOW_SECONDS = 30;

export const MOVING = 1;
export const PAPER = 2;
export const COUNTER = 1;
export const RECORD = 2;

export const WINDOWS_LATE = 2;
export const WINDOWS_EARLY = 1;

/**
 * What a token says: {ok: true, kind, audience, number (digits), serial, keyId, verified: true}.
 *
 * `keys` are public keys in base64 by id. A token that is not genuine gives {ok: false, code}, the code malformed,
 * unknown_key, bad_signature or wrong_audience. A browser without Ed25519 cannot tell: {ok: true, ..., verified:
 * false}; what it takes is judged by the server later.
 */
export async function readToken(text, { keys, audience }) {
  const data = decoded(text);
  if (data === null) return refused("malformed");
  const head = data.slice(0, SIGNED_BYTES);
  const given = keys[String(head[1])];
  if (given === undefined) return refused("unknown_key");
  const verified = await isSigned(head, data.slice(SIGNED_BYTES), given);
  if (verified === false) return refused("bad_signature");
  if (head[0] !== MOVING && head[0] !== PAPER) return refused("malformed");
  if (head[2] !== audience) return refused("wrong_audience");
  const view = new DataView(head.buffer, head.byteOffset);
  return {
    ok: true,
    kind: head[0],
    keyId: head[1],
    audience: head[2],
    number: view.getBigUint64(3).toString(),
    serial: view.getUint32(11),
    verified: verified === true,
  };
}

/** MOVING, PAPER, or what else a token says that it is, genuine or not; null for what is no token. */
export function kindOf(text) {
  return decoded(text)?.[0] ?? null;
}

/** The window of 30 seconds in which an instant (milliseconds since 1970) lies. */
export function windowOf(at) {
  return Math.floor(at / 1000 / WINDOW_SECONDS);
}

/** Whether a moving token's window is taken at this instant, by a clock that is right to within a window or two. */
export function isFresh(window, at) {
  const late = windowOf(at) - window;
  return -WINDOWS_EARLY <= late && late <= WINDOWS_LATE;
}

function refused(code) {
  return { ok: false, code };
}

function decoded(text) {
  if (typeof text !== "string" || text.length !== LENGTH || !text.startsWith(PREFIX)) return null;
  const values = Array.from(text.slice(PREFIX.length), (character) => ALPHABET.indexOf(character));
  if (values.includes(-1)) return null;
  const bytes = [];
  for (let place = 0; place < values.length; place += 3) {
    const group = values.slice(place, place + 3);
    const size = group.length === 3 ? 2 : 1;
    const value = group.reduce((sum, digit, power) => sum + digit * 45 ** power, 0);
    if (value >= 256 ** size) return null;
    if (size === 2) bytes.push(value >> 8);
    bytes.push(value & 255);
  }
  return bytes.length === BYTES ? Uint8Array.from(bytes) : null;
}

/** true, false, or null where this browser cannot tell. */
async function isSigned(head, signature, publicKey) {
  const subtle = globalThis.crypto && globalThis.crypto.subtle;
  if (!subtle) return null;
  let key;
  try {
    const raw = Uint8Array.from(atob(publicKey), (character) => character.charCodeAt(0));
    key = await subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null; // Ed25519 came to browsers late
  }
  const message = new Uint8Array(CONTEXT.length + head.length);
  message.set(CONTEXT);
  message.set(head, CONTEXT.length);
  return subtle.verify({ name: "Ed25519" }, key, signature, message);
}

// The typed code: Verhoeff's method with a permutation of our own (digits.py tells how it was found).

const ORDER = [4, 3, 9, 8, 5, 7, 1, 6, 0, 2];

function times(a, b) {
  if (a < 5) return ((a + b) % 5) + (b >= 5 ? 5 : 0);
  return ((a - b + 10) % 5) + (b >= 5 ? 0 : 5);
}

function product(digits) {
  let result = 0;
  Array.from(digits)
    .reverse()
    .forEach((digit, place) => {
      let value = Number(digit);
      for (let step = 0; step < place; step += 1) value = ORDER[value];
      result = times(result, value);
    });
  return result;
}

/** What was typed, without the spaces and hyphens of its groups. */
export function plain(text) {
  return text.replace(/[ -]/g, "");
}

/** Whether this is a code of twelve digits whose check digit is right. */
export function isWhole(text) {
  return /^[0-9]{12}$/.test(text) && product(text) === 0;
}

/** The digit that, put behind these, makes a whole code. */
export function checkDigit(digits) {
  return Array.from("0123456789").find((digit) => product(digits + digit) === 0);
}
