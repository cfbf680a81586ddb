// What was scanned or typed, told apart: a code that changes on a phone, a printed card, twelve digits, an elder's code.

import { COUNTER, MOVING, isFresh, isWhole, plain, readToken, windowOf } from "../codes.js";

export const WINDOWS_OFFLINE = 10; // vouchers/codes/operations.py

/**
 * {ok: true, shape: "moving" | "card" | "digits" | "code", who, credential, needsPin, channel, short} or
 * {ok: false, code}. `who` is the same for all codes of one shape of one elder. Without a network (`trust`) a code
 * must also be genuine and of this moment, as far as this device can tell.
 */
export async function identify(text, { keys = {}, now, trust }) {
  const shown = text.trim();
  if (/^YQ:/i.test(shown)) return token(shown.toUpperCase(), { keys, now, trust });
  const typed = plain(shown).toUpperCase();
  if (/^\d{12}$/.test(typed)) {
    if (!isWhole(typed)) return { ok: false, code: "digits_wrong" };
    return { ok: true, shape: "digits", who: `d:${typed}`, credential: { code: typed }, needsPin: true, channel: "pin", short: typed.slice(-4) };
  }
  if (/^[A-Z][A-Z0-9]{1,11}$/.test(typed))
    return { ok: true, shape: "code", who: `c:${typed}`, credential: { code: typed }, needsPin: true, channel: "pin", short: typed.slice(-4) };
  return { ok: false, code: "not_ours" };
}

async function token(text, { keys, now, trust }) {
  const read = await readToken(text, { keys, audience: COUNTER });
  if (!read.ok && !(read.code === "unknown_key" && !trust))
    return { ok: false, code: read.code === "unknown_key" ? "key_unknown" : "not_ours" };
  // A key that is newer than what this device has learnt: the server, which is there, will judge.
  const number = read.ok ? read.number : text.slice(3, 20);
  if (read.ok && read.kind !== MOVING)
    return { ok: true, shape: "card", who: `n:${number}`, credential: { code: text }, needsPin: true, channel: "paper", short: "" };
  if (read.ok && trust && Math.abs(windowOf(now) - read.serial) > WINDOWS_OFFLINE) return { ok: false, code: "stale" };
  return { ok: true, shape: "moving", who: `n:${number}`, credential: { token: text }, needsPin: false, channel: "qr", short: "", fresh: read.ok && isFresh(read.serial, now) };
}
