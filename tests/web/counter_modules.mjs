// The counter's small modules, one by one: run by test_counter.py.
import assert from "node:assert/strict";
import { understand } from "../../marketplace/static/js/counter/link.js";
import { fen, plainYuan, table } from "../../marketplace/static/js/counter/money.js";
import * as protocol from "../../marketplace/static/js/counter/protocol.js";
import { takings } from "../../marketplace/static/js/counter/till.js";
import { Wedge, typed } from "../../marketplace/static/js/counter/wedge.js";

// Amounts

assert.deepEqual(["8.00", "0.05", "-12.5", "3000"].map(fen), [800, 5, -1250, 300000]);
for (const wrong of ["", "8,00", "1.234", "abc", null, "1e3"]) assert.throws(() => fen(wrong));
assert.deepEqual([800, 850, 123456789, -5].map(plainYuan), ["8", "8.50", "1,234,567.89", "−0.05"]);
assert.deepEqual([800, 0, -120050].map(table), ["8.00", "0.00", "−1,200.50"]);

// What is an answer and what is none

const problem = (code) => JSON.stringify({ code, detail: "why" });
assert.equal(understand(201, '{"number":"RD-1"}').body.number, "RD-1");
assert.equal(understand(200, "<html>Welcome to the hotel</html>").failed, "network"); // a captive portal
assert.equal(understand(200, '{"results": [').failed, "network"); // half an answer
assert.deepEqual(understand(429, problem("too_many_requests"), "3"), { failed: "busy", after: 3000 });
assert.deepEqual(understand(409, problem("in_progress"), "1"), { failed: "busy", after: 1000 });
assert.equal(understand(409, problem("key_reused")).problem.code, "key_reused");
assert.equal(understand(503, "").failed, "busy");
assert.equal(understand(500, problem("server_error")).failed, "server");
assert.equal(understand(401, problem("not_signed_in")).failed, "shut");
assert.equal(understand(422, problem("daily_limit")).problem.detail, "why");
assert.equal(understand(422, "not ours").failed, "server");
assert.equal(understand(429, problem("pin_locked"), "900").problem.status, 422); // one elder's PIN, nobody else's wait

// Answers of the API as receipts

const told = { number: "RD-1", elder: "李*", price: {}, vouchers: [] };
assert.equal(protocol.ofOne("k", { ok: true, body: told }).answers[0].state, "accepted");
assert.equal(protocol.ofOne("k", { problem: { code: "daily_limit", status: 422 } }).answers[0].state, "refused");
assert.equal(protocol.ofOne("k", { problem: { code: "invalid", status: 400 } }).failed, "server"); // no answer to it
assert.equal(protocol.ofOne("k", { failed: "shut" }).answers[0].state, "refused"); // nothing was done
assert.equal(protocol.ofBatch({ failed: "shut" }).answers, undefined); // of an earlier try nobody knows
const batch = protocol.ofBatch({
  ok: true,
  body: {
    results: [
      { key: "a", status: 201, body: told },
      { key: "b", status: 202, case: { case: "OS-7", code: "over_cap", detail: "", unpaid: "8.00", receipt: null } },
      { key: "c", status: 202, case: { case: "OS-8", code: "paid_short", detail: "", unpaid: "2.00", receipt: told } },
      { key: "d", status: 422, problem: { status: 422, code: "token_invalid", detail: "" } },
      { key: "e", status: 409, problem: { status: 409, code: "in_progress" } },
      { key: "f", status: 429, problem: { status: 429, code: "pin_locked" } },
      { key: "g", status: 500, problem: { status: 500, code: "server_error" } },
      { key: "h", status: 400, problem: { status: 400, code: "invalid" } },
      { key: "i", status: 422, problem: { status: 422, code: "out_of_time" } },
      null,
    ],
  },
});
assert.deepEqual(batch.answers.map((answer) => [answer.key, answer.state]), [["a", "accepted"], ["b", "review"], ["c", "review"], ["d", "refused"]]);
assert.equal(batch.answers[2].number, "RD-1"); // paid in part: that part can be taken back
assert.equal(protocol.ofBatch({ failed: "network" }).answers, undefined);
assert.deepEqual(protocol.ofUndo({ problem: { code: "too_late", status: 422, detail: "why" } }), { refused: "too_late", detail: "why" });
const record = { key: "k", premises: "P", service: { code: "S", name: "n" }, quantity: 1, credential: { code: "C" }, happenedAt: "t", channel: "pin" };
assert.deepEqual(protocol.body(record, "123457").elder, { code: "C", pin: "123457" });
assert.deepEqual(protocol.batch([record], ["1"]).redemptions[0].key, "k");

// A scanner and a hand

const wedge = new Wedge();
let clock = 0;
const press = (text, pause) => [...text, "Enter"].map((key) => wedge.press(key === "Enter" ? "Enter" : key, (clock += pause))).at(-1);
assert.equal(press("YQ:ABC 12$", 8).take, "YQ:ABC 12$");
assert.deepEqual(press("EL000012", 180), {}); // typed by a person
assert.deepEqual(press("123", 8), {}); // too short
clock += 5000;
wedge.press("x", clock); // a key by hand, long before the scan
clock += 500;
assert.equal(press("123456789012", 12).take, "123456789012");
clock += 500;
for (const key of "1357") clock += 90, (globalThis.slow = wedge.press(key, clock));
assert.deepEqual(slow, { swallow: true, sure: false }); // a nimble hand in a field keeps its keys
assert.equal(typed({ key: "Process", code: "Digit7" }), "7"); // under a Chinese input method
assert.equal(typed({ key: "Process", code: "KeyY" }), "Y");

// A shift's sums

const price = (vouchers, self_pay) => ({ vouchers, self_pay, government: "4.00", charity: "1.00", concession: "3.00" });
const row = (state, more = {}) => ({ state, quantity: 1, fen: 1200, service: { code: "S", name: "Lunch" }, undo: null, receipt: null, ...more });
const sums = takings([
  row("accepted", { receipt: { price: price("8.00", "4.00") } }),
  row("accepted", { receipt: { price: price("12.00", "0.00") }, quantity: 2 }),
  row("accepted", { receipt: { price: price("12.00", "0.00") }, undo: { state: "done" } }),
  row("review", { receipt: { number: "RD-3", price: price("5.00", "7.00") }, trusted: true }),
  row("refused", { receipt: { code: "x" } }),
  row("refused", { receipt: { code: "x" }, trusted: true }),
  row("waiting"),
]);
assert.deepEqual([sums.served, sums.quantity, sums.vouchers, sums.cash, sums.undone, sums.unsent, sums.unsentFen, sums.refused, sums.review], [2, 3, 2000, 400, 1, 1, 1200, 1, 1]);
assert.equal(sums.services[0].served, 2);
console.log("ok");
