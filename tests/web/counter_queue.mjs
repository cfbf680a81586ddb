// Random lives of the counter's queue against a server that loses, cuts, repeats and refuses: run by test_counter.py.
//   node counter_queue.mjs SEEDS [MUTANT]
// The stand-in server keeps what marketplace/api keeps: one outcome for each terminal and key.
import * as queueModule from "../../marketplace/static/js/counter/queue.js";

const seeds = Number(process.argv[2] ?? 500);
const queue = { ...queueModule };
const HOUR = 3_600_000;
const CAPS = { terminal: { count: 12, fen: 9_000 }, elder: { count: 4, fen: 3_000 }, paper: { count: 2, fen: 1_500 }, hours: 72 };

// Broken on purpose, one at a time: each must be noticed.
const MUTANTS = {
  "an error ends it": () => {
    queue.settle = (q, keys, reply, about) => {
      if (reply.failed === "server" && !reply.answers)
        return queueModule.settle(q, keys, { answers: keys.map((key) => ({ key, state: "refused", code: "error" })) }, about);
      return queueModule.settle(q, keys, reply, about);
    };
  },
  "half an answer ends all": () => {
    queue.settle = (q, keys, reply, about) => {
      const known = new Set((reply.answers ?? []).map((answer) => answer.key));
      const more = reply.answers ? keys.filter((key) => !known.has(key)).map((key) => ({ key, state: "accepted", number: "RD-?" })) : [];
      return queueModule.settle(q, keys, { ...reply, answers: reply.answers && [...reply.answers, ...more] }, about);
    };
  },
  "a restart forgets what was being sent": () => {
    queue.restart = () => [];
  },
  "caps see the unsent only": () => {
    queue.overCap = (q, request, caps, now) => {
      const unsent = queueModule.open(queueModule.unsent(q), q.terminal);
      return queueModule.overCap(unsent, request, caps, now);
    };
  },
  "kept after it was sent": () => {
    queue.keptLate = true;
  },
  "what is old is forgotten, sent or not": () => {
    queue.old = (q, now, keepFor) => [...q.records.values()].filter((record) => now - record.madeAt > keepFor).map((record) => record.key);
  },
  "the last receipt wins": () => {
    queue.settle = (q, keys, reply, about) => {
      const changed = queueModule.settle(q, keys, reply, about);
      for (const answer of reply.answers ?? []) {
        const record = q.records.get(answer?.key);
        if (record?.receipt && answer.state) Object.assign(record, { receipt: { ...answer, at: about.now }, state: answer.state });
      }
      return changed;
    };
  },
  "a new enrolment sends it all": () => {
    queue.isStranded = () => false;
    queue.next = (q, now) => {
      const waiting = queueModule.unsent(q).filter((record) => record.state === "waiting");
      return waiting.length && q.line.notBefore <= now ? { send: waiting.slice(0, 20).map((record) => record.key) } : queueModule.next(q, now);
    };
  },
};
if (process.argv[3]) MUTANTS[process.argv[3]]();

function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Server {
  constructor(random) {
    Object.assign(this, { random, outcomes: new Map(), paid: new Map(), revoked: new Set(), number: 0, said: [] });
  }

  /** One outcome for each terminal and key; what a key stands for (its serving) is paid once per terminal. */
  judge(terminal, record) {
    const name = `${terminal}/${record.key}`;
    if (!this.outcomes.has(name)) {
      const luck = this.random();
      if (luck < 0.06) return this.say({ key: record.key, state: "refused", code: "token_invalid" }); // its key stays free
      this.number += 1;
      const found = luck < 0.15 ? { key: record.key, state: "review", code: "over_cap", case: `OS-${this.number}` } : { key: record.key, state: "accepted", number: `RD-${this.number}` };
      this.outcomes.set(name, found);
      if (found.number) this.paid.set(record.key, (this.paid.get(record.key) ?? 0) + 1);
    }
    return this.say({ ...this.outcomes.get(name) });
  }

  say(answer) {
    this.said.push(answer);
    return answer;
  }

  /** A reply, or none; what was judged stays judged whatever becomes of the reply. */
  send(terminal, records) {
    const luck = this.random();
    if (luck < 0.15) return { failed: "network" }; // never arrived
    if (this.revoked.has(terminal)) return { failed: "shut" };
    if (luck < 0.22) return { failed: "busy", after: 1_000 + this.random() * 20_000 };
    if (luck < 0.28) return { failed: "server" };
    const upTo = luck < 0.4 ? Math.floor(this.random() * records.length) : records.length; // killed mid-batch
    const answers = records.slice(0, upTo).map((record) => this.judge(terminal, record));
    if (luck < 0.34) return { failed: "server" };
    if (luck < 0.46) return { failed: "network" }; // judged, reply lost
    if (luck < 0.56) return { answers: answers.filter(() => this.random() < 0.5), failed: "server" }; // half an answer
    if (luck < 0.62) answers.push({ key: "not-ours", state: "accepted", number: "RD-0" }, null, { key: records[0].key, state: "??" });
    if (luck < 0.68) answers.reverse();
    if (luck > 0.9) answers.push({ ...this.said[Math.floor(this.random() * this.said.length)] }); // said long ago
    return { answers, failed: "server" };
  }
}

function assert(holds, what, seed) {
  if (!holds) {
    console.error(`seed ${seed}: ${what}`);
    process.exit(1);
  }
}

function life(seed) {
  const random = chance(seed);
  const server = new Server(random);
  const disk = new Map();
  const served = new Map(); // what was handed out: key -> fen
  const first = new Map(); // the first receipt of each key
  let now = 1_800_000_000_000;
  let terminal = "t1";
  let q = queue.open([], terminal);
  const store = (records) => records?.forEach((record) => disk.set(record.key, structuredClone(record)));
  const dies = () => random() < 0.04;
  const restart = () => {
    q = queue.open([...disk.values()].map((record) => structuredClone(record)), terminal);
    store(queue.restart(q));
  };
  let made = 0;

  function look() {
    for (const record of q.records.values()) {
      assert(queueModule.UNSENT.includes(record.state) || record.receipt, "a state without a receipt", seed);
      if (!record.receipt) continue;
      const kept = first.get(record.key) ?? record.receipt;
      first.set(record.key, kept);
      assert(JSON.stringify(kept) === JSON.stringify(record.receipt), "a receipt changed", seed);
      const { key, state, code, number } = record.receipt;
      const told = server.said.some((answer) => answer.key === key && answer.state === state && answer.code === code && answer.number === number);
      assert(told && state === record.state, "a receipt that nobody gave", seed);
    }
    for (const key of served.keys()) assert(q.records.has(key) || first.has(key), "a serving was dropped", seed);
  }

  function take(network) {
    const key = `k${(made += 1)}`;
    const who = `e${Math.floor(random() * 4)}`;
    const request = { key, who, paper: random() < 0.4, fen: 500 + Math.floor(random() * 3) * 250 };
    const cap = queue.overCap(q, request, CAPS, now);
    if (!network && cap) return;
    if (queue.keptLate && random() < 0.5) {
      served.set(key, request.fen);
      if (dies()) return restart();
    }
    store(queue.keep(q, request, { now, state: network ? "asking" : "waiting", terminal }));
    if (network) {
      if (dies()) return restart();
      const reply = server.send(terminal, [q.records.get(key)]);
      if (dies()) return restart();
      store(queue.settle(q, [key], reply, { now, chance: random() }));
    }
    const record = q.records.get(key);
    if (record.state === "accepted" || record.state === "review") served.set(key, request.fen);
    else if (queueModule.UNSENT.includes(record.state) && !cap) served.set(key, request.fen);
    else if (queueModule.UNSENT.includes(record.state)) store(queue.askUndo(q, key, { reason: "not served", now }));
    // What stands on trust and was handed out never passes a cap.
    const trusted = [...q.records.values()].filter((kept) => served.has(kept.key) && kept.trusted && kept.state !== "refused" && kept.undo?.state !== "done" && now - kept.madeAt < CAPS.hours * HOUR);
    const sum = (records) => records.reduce((total, kept) => total + kept.fen, 0);
    assert(trusted.length <= CAPS.terminal.count && sum(trusted) <= CAPS.terminal.fen, "over the terminal's cap", seed);
    for (const elder of ["e0", "e1", "e2", "e3"]) {
      const own = trusted.filter((kept) => kept.who === elder);
      assert(own.length <= CAPS.elder.count && sum(own) <= CAPS.elder.fen, "over an elder's cap", seed);
    }
  }

  function pump(steps) {
    for (let step = 0; step < steps; step += 1) {
      const todo = queue.next(q, now);
      if (todo.send) {
        store(queue.begin(q, todo.send));
        if (dies()) return restart();
        const reply = server.send(terminal, todo.send.map((key) => q.records.get(key)));
        if (dies()) return restart();
        store(queue.settle(q, todo.send, reply, { now, chance: random() }));
      } else if (todo.undo) {
        store(queue.beginUndo(q, todo.undo));
        if (dies()) return restart();
        const luck = random();
        const reply = luck < 0.3 ? { failed: "network" } : luck < 0.4 ? { refused: "too_late", detail: "" } : { done: true };
        store(queue.settleUndo(q, todo.undo, reply, { now, chance: random() }));
      } else if (todo.wait) now += Math.min(todo.wait, 5_000);
      else return;
      look();
    }
  }

  for (let step = 0; step < 60; step += 1) {
    const luck = random();
    now += Math.floor(random() * 400_000);
    if (luck < 0.35) take(false);
    else if (luck < 0.5) take(true);
    else if (luck < 0.8) pump(1 + Math.floor(random() * 4));
    else if (luck < 0.86) restart();
    else if (luck < 0.9) {
      const own = [...q.records.keys()];
      if (own.length) store(queue.askUndo(q, own[Math.floor(random() * own.length)], { reason: "wrong person", now }));
    } else if (luck < 0.93) {
      for (const key of queue.old(q, now, 24 * HOUR)) {
        q.records.delete(key);
        disk.delete(key);
      }
    } else if (luck < 0.94 && seed % 4 === 0) {
      server.revoked.add(terminal);
      terminal = `t${server.revoked.size + 1}`;
      q.terminal = terminal;
      queueModule.opened(q);
    } else if (luck < 0.96) now += 30 * HOUR;
    look();
  }
  // The network comes back for good.
  server.send = (sender, records) => ({ answers: records.map((record) => server.judge(sender, record)), failed: "server" });
  for (let again = 0; again < 400 && queue.next(q, now).send; again += 1) pump(5), (now += 60_000);
  for (let again = 0; again < 400 && (queue.next(q, now).send || queue.next(q, now).wait); again += 1) (now += 120_000), pump(5);
  look();
  const stranded = new Set(queueModule.unsent(q).filter((record) => record.tries > 0 && record.terminal !== terminal).map((record) => record.key));
  for (const record of q.records.values())
    assert(record.receipt || stranded.has(record.key), `left without a receipt: ${record.key} ${record.state}`, seed);
  for (const [key, times] of server.paid) assert(times === 1, `paid ${times} times: ${key}`, seed);
  return { made, receipts: first.size, stranded: stranded.size };
}

const sums = { made: 0, receipts: 0, stranded: 0 };
for (let seed = 1; seed <= seeds; seed += 1) {
  const lived = life(seed);
  for (const name of Object.keys(sums)) sums[name] += lived[name];
}
console.log(JSON.stringify({ seeds, ...sums }));
