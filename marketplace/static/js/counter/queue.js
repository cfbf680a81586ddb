// What was taken at this counter and has no receipt yet. Pure: no page, no network, no clock, no chance.
//
// A record is kept before anything is sent, and it stays until the server has answered for its own key. No error
// ends it: no network, 5xx, 429, a time-out, half an answer, a tab killed while sending. What ends it is a receipt,
// and there are three kinds: accepted, refused (with a code of the API) and review (held for the bureau).
//
//   asking ──► waiting ──► sending ──► accepted | refused | review
//     │           ▲           │
//     └───────────┴───────────┘  whatever is not an answer
//
// `asking` is the first try while the cashier waits. Amounts are whole fen, instants milliseconds since 1970.
// Every function answers with the records that changed, to be stored by the caller before it goes on.

export const UNSENT = Object.freeze(["asking", "waiting", "sending"]);
export const RECEIPTS = Object.freeze(["accepted", "refused", "review"]);

/** What each state may become. A receipt is the end. */
export const MOVES = Object.freeze({
  asking: ["waiting", ...RECEIPTS],
  waiting: ["sending", ...RECEIPTS],
  sending: ["waiting", ...RECEIPTS],
  accepted: [],
  refused: [],
  review: [],
});

export const BATCH = 20;
const TOO_OLD = 2 / 3; // of the time in which a terminal may report: stop while there is time to find a network
const CALM = Object.freeze({ failures: 0, notBefore: 0, puzzled: 0, shut: "" });
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 60_000;

/** An empty counter: records by key, and what is known of the line. */
export function open(records = [], terminal = "") {
  const queue = { records: new Map(), terminal, line: { ...CALM } };
  for (const record of records) queue.records.set(record.key, record);
  return queue;
}

/** After a cold start nothing is under way: what was being sent is sent again under its own key. */
export function restart(queue) {
  const changed = [];
  for (const record of queue.records.values()) {
    if (record.state === "sending" || record.state === "asking") {
      record.trusted = true;
      changed.push(move(record, "waiting"));
    }
    if (record.undo?.state === "sending") {
      record.undo.state = "waiting";
      changed.push(record);
    }
  }
  return [...new Set(changed)];
}

/**
 * Whether a record was sent under an earlier enrolment and not answered. Keys belong to a terminal: sent under the
 * new one it might be paid twice. It stays, in sight, for the office to settle.
 */
export function isStranded(queue, record) {
  return UNSENT.includes(record.state) && record.tries > 0 && record.terminal !== queue.terminal;
}

export function unsent(queue) {
  return [...queue.records.values()].filter((record) => UNSENT.includes(record.state)).sort(inOrder);
}

/** What is always in sight: how many, how much at most, how old the oldest is. */
export function load(queue, now) {
  const open_ = unsent(queue);
  const oldest = open_.length ? Math.max(0, now - Math.min(...open_.map((record) => record.madeAt))) : 0;
  return { count: open_.length, fen: sum(open_), oldest };
}

/**
 * Why a serving cannot be taken on trust, or null.
 *
 * caps: {terminal, elder, paper: {count, fen}, hours}; a cap that is missing lets nothing through. What counts is all
 * that is unsent and all that was taken on trust within `hours`: as long as a terminal may report, it may turn out
 * to be unpaid. `paper` bounds, for each elder, what is shown on a card or typed: it can be copied.
 */
export function overCap(queue, request, caps, now) {
  if (!caps) return { cap: "none" };
  const open_ = unsent(queue);
  const period = caps.hours * 3_600_000;
  if (open_.length && load(queue, now).oldest >= period * TOO_OLD) return { cap: "hours", limit: Math.round(caps.hours * TOO_OLD) };
  const held = [...queue.records.values()].filter((record) => atRisk(record, now, period));
  const bounds = [
    ["terminal", held],
    ["elder", held.filter((record) => record.who === request.who)],
  ];
  if (request.paper) bounds.push(["paper", held.filter((record) => record.who === request.who && record.paper)]);
  for (const [name, taken] of bounds) {
    const cap = caps[name] ?? { count: 0, fen: 0 };
    if (taken.length + 1 > cap.count) return { cap: name, of: "count", limit: cap.count };
    if (sum(taken) + request.fen > cap.fen) return { cap: name, of: "fen", limit: cap.fen };
  }
  return null;
}

function atRisk(record, now, period) {
  if (UNSENT.includes(record.state)) return true;
  return record.trusted && record.state !== "refused" && record.undo?.state !== "done" && now - record.madeAt < period;
}

/**
 * Keep a serving before its first try. `request` bears key, who, paper, fen, and whatever page and API need.
 * `terminal` is the enrolment under which it is made.
 */
export function keep(queue, request, { now, state, terminal = "" }) {
  if (queue.records.has(request.key)) throw new Error("a key is used once");
  if (state !== "asking" && state !== "waiting") throw new Error(`nothing begins as ${state}`);
  const record = {
    ...request,
    terminal,
    madeAt: now,
    order: nextOrder(queue),
    state,
    trusted: state === "waiting",
    tries: state === "asking" ? 1 : 0,
    unanswered: 0,
    receipt: null,
    undo: null,
  };
  queue.records.set(record.key, record);
  return [record];
}

/** What to do next: {send: keys} | {undo: key} | {wait: milliseconds} | {} when there is nothing. */
export function next(queue, now) {
  const waiting = unsent(queue).filter((record) => record.state === "waiting" && !isStranded(queue, record));
  const undo = [...queue.records.values()].filter((record) => undoable(record) && record.terminal === queue.terminal).sort(inOrder)[0];
  if (!waiting.length && !undo) return {};
  if (queue.line.shut) return {};
  if (queue.line.notBefore > now) return { wait: queue.line.notBefore - now };
  if (unsent(queue).some((record) => record.state === "sending")) return {};
  if (waiting.length) {
    // What the server was asked and did not answer goes last and in smaller batches: one bad record holds up none.
    const size = Math.max(1, BATCH >> queue.line.puzzled);
    waiting.sort((a, b) => a.unanswered - b.unanswered || inOrder(a, b));
    return { send: waiting.slice(0, size).map((record) => record.key) };
  }
  return { undo: undo.key };
}

export function begin(queue, keys) {
  return keys.map((key) => {
    const record = queue.records.get(key);
    record.tries += 1;
    record.terminal = queue.terminal;
    return move(record, "sending");
  });
}

/**
 * What came back for a batch, or for a first try.
 *
 * reply: {answers: [{key, state, ...}]} | {failed, after?} where `failed` is a word for people (network, busy,
 * server, shut) and `after` the milliseconds that the server asks us to wait. A receipt counts whenever it comes,
 * for whatever key of ours; the first one stays. Keys that are not answered wait again.
 */
export function settle(queue, keys, reply, { now, chance = 0.5 }) {
  const changed = new Set();
  let receipts = 0;
  for (const answer of reply.answers ?? []) {
    const record = queue.records.get(answer?.key);
    if (!record || !isReceipt(answer) || !UNSENT.includes(record.state)) continue;
    record.receipt = { ...answer, at: now };
    changed.add(move(record, answer.state));
    if (!record.receipt.number && record.undo) record.undo = null; // nothing was spent: nothing to take back
    receipts += 1;
  }
  for (const key of keys) {
    const record = queue.records.get(key);
    if (record && (record.state === "sending" || record.state === "asking")) {
      record.trusted = true; // nobody has said that it is paid
      if (reply.failed === "server") record.unanswered += 1;
      changed.add(move(record, "waiting"));
    }
  }
  if (receipts) opened(queue);
  else failed(queue, reply, now, chance);
  return [...changed];
}

/** The server was reached, by whatever call: no need to wait longer. A token that was revoked stays so. */
export function reached(queue) {
  queue.line = { ...queue.line, failures: 0, notBefore: 0, puzzled: 0 };
}

/** The token is taken again: after a new enrolment, or as the answer to any call shows. */
export function opened(queue) {
  queue.line = { ...CALM };
}

/** The line failed: wait twice as long each time, with some chance in it, or as long as the server asks. */
export function failed(queue, reply, now, chance) {
  const failures = queue.line.failures + 1;
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 10)) * (0.5 + chance);
  queue.line = {
    failures,
    notBefore: now + Math.max(pause, reply.after ?? 0),
    puzzled: reply.failed === "server" ? queue.line.puzzled + 1 : queue.line.puzzled,
    shut: reply.failed === "shut" ? "shut" : "",
  };
}

// Taking back: a wish that waits for the receipt of what it takes back.

/** Ask for the reversal of a record; null where there is nothing to take back. */
export function askUndo(queue, key, { reason, now }) {
  const record = queue.records.get(key);
  if (!record || record.undo || record.state === "refused") return null;
  record.undo = { reason, askedAt: now, state: "waiting", code: "" };
  return [record];
}

export function beginUndo(queue, key) {
  const record = queue.records.get(key);
  record.undo.state = "sending";
  return [record];
}

/** reply: {done: true} | {refused: code, detail} | {failed, after?}. */
export function settleUndo(queue, key, reply, { now, chance = 0.5 }) {
  const record = queue.records.get(key);
  if (!record?.undo) return [];
  if (reply.done) {
    record.undo = { ...record.undo, state: "done", doneAt: now };
    reached(queue);
  } else if (reply.refused) {
    record.undo = { ...record.undo, state: "refused", code: reply.refused, detail: reply.detail ?? "" };
    reached(queue);
  } else {
    record.undo.state = "waiting";
    failed(queue, reply, now, chance);
  }
  return [record];
}

/** What may be forgotten: receipts older than `keepFor`, never anything without one. */
export function old(queue, now, keepFor) {
  return [...queue.records.values()]
    .filter((record) => RECEIPTS.includes(record.state) && now - record.receipt.at > keepFor && !undoable(record))
    .map((record) => record.key);
}

function isReceipt(answer) {
  if (answer?.state === "accepted") return typeof answer.number === "string" && answer.number !== "";
  return (answer?.state === "refused" || answer?.state === "review") && typeof answer.code === "string" && answer.code !== "";
}

function undoable(record) {
  return Boolean(record.receipt?.number) && record.undo?.state === "waiting";
}

function move(record, state) {
  if (!MOVES[record.state].includes(state)) throw new Error(`${record.state} cannot become ${state}`);
  record.state = state;
  return record;
}

function sum(records) {
  return records.reduce((total, record) => total + record.fen, 0);
}

function nextOrder(queue) {
  let last = 0;
  for (const record of queue.records.values()) last = Math.max(last, record.order);
  return last + 1;
}

function inOrder(a, b) {
  return a.order - b.order;
}
