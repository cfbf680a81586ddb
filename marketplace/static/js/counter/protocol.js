// How the counter's records look in the API, and how its answers become receipts (docs/api.md).

import { fen } from "./money.js";

// By these the API says no to one redemption; any other status is no answer to it, and it stays in the queue.
const REFUSALS = [403, 404, 409, 422];
const LATER = ["in_progress", "out_of_time"]; // a clock that ran ahead is overtaken

/** The body of a redemption or a quote. Always the same for one record: a key with another body is refused. */
export function body(record, pin) {
  return {
    premises: record.premises,
    service: record.service.code,
    quantity: record.quantity,
    elder: pin ? { ...record.credential, pin } : record.credential,
    happened_at: record.happenedAt,
    channel: record.channel,
  };
}

export function batch(records, pins) {
  return { redemptions: records.map((record, n) => ({ key: record.key, ...body(record, pins[n]), ...signature(record) })) };
}

function signature({ signed }) {
  return signed ? { signature: { number: signed.number, previous: signed.previous, value: signed.value } } : {};
}

/** What a first try brought, for the queue. */
export function ofOne(key, answer) {
  if (answer.ok) return { answers: [accepted(key, answer.body)] };
  if (answer.problem && REFUSALS.includes(answer.problem.status)) return { answers: [refused(key, answer.problem)] };
  // A token that is not taken is an answer too: at a first try nothing was done.
  if (answer.failed === "shut") return { answers: [refused(key, { code: "shut" })] };
  return { failed: answer.failed ?? "server", after: answer.after };
}

/** What a batch brought: an answer for each key that was judged; those that may be sent again have none. */
export function ofBatch(answer) {
  if (!answer.ok) return { failed: answer.failed ?? "server", after: answer.after };
  const results = Array.isArray(answer.body?.results) ? answer.body.results : [];
  return { answers: results.map(ofResult).filter(Boolean), failed: "server" };
}

function ofResult(result) {
  if (result?.case) {
    const { case: number, code, detail, unpaid, receipt } = result.case;
    return { ...(receipt ? accepted(result.key, receipt) : {}), key: result.key, state: "review", case: number, code, detail, unpaid };
  }
  if (result?.body && (result.status === 200 || result.status === 201)) return accepted(result.key, result.body);
  const { problem } = result ?? {};
  if (problem && REFUSALS.includes(problem.status) && !LATER.includes(problem.code)) return refused(result.key, problem);
  return null;
}

function accepted(key, told) {
  return { key, state: "accepted", number: told?.number, elder: told?.elder ?? "", price: told?.price, vouchers: told?.vouchers ?? [] };
}

function refused(key, { code, detail }) {
  return { key, state: "refused", code, detail: detail ?? "" };
}

export function ofUndo(answer) {
  if (answer.ok || answer.problem?.code === "repeated") return { done: true };
  if (answer.problem && REFUSALS.includes(answer.problem.status)) return { refused: answer.problem.code, detail: answer.problem.detail };
  return { failed: answer.failed ?? "server", after: answer.after };
}

/** Yuan in the API, fen here. */
export function caps(told) {
  if (!told) return null;
  const cap = (given) => ({ count: given.count, fen: fen(given.yuan) });
  return { terminal: cap(told.terminal), elder: cap(told.elder), paper: cap(told.paper), hours: told.hours };
}
