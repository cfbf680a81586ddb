// node tests/web/visit_steps.mjs: what stands open at a visit, and which report goes first.
import assert from "node:assert/strict";

const { choose, counting, open } = await import("../../marketplace/static/js/visits/steps.js");
const page = { step: "arrive", door: false, said: false };
let order = 0;
const told = (kind, state = "waiting", work = "1") => ({ key: `${work}-${kind}-${(order += 1)}`, kind, state, work, order });

assert.deepEqual(open(page, []).steps, ["arrived"]);
const arrived = told("arrived");
assert.deepEqual(open(page, [arrived]), { steps: ["confirmed", "photo", "left", "absent"], waiting: true });
const said = told("confirmed", "accepted");
assert.deepEqual(open(page, [arrived, said]).steps, ["photo", "left", "absent"]);
const left = told("left");
assert.deepEqual(open(page, [arrived, said, left]).steps, []);
assert.deepEqual(open({ ...page, step: "there", said: true }, []).steps, ["photo", "left", "absent"]);
assert.deepEqual(open({ ...page, step: "done" }, []).steps, []);
// Meals: one word at the door.
assert.deepEqual(open({ ...page, door: true }, []).steps, ["left", "absent"]);
assert.deepEqual(open({ ...page, door: true }, [told("left")]).steps, []);
// What was refused counts for nothing.
assert.deepEqual(counting([told("arrived", "refused"), arrived], "1"), [arrived]);

// In its order within a visit; what holds up one visit holds up no other.
const other = told("arrived", "waiting", "2");
const records = [arrived, left, other];
assert.equal(choose([arrived.key, left.key], records), arrived.key);
assert.equal(choose([left.key], records), null, "not before the arrival");
assert.equal(choose([left.key, other.key], records), other.key);
arrived.state = "accepted";
assert.equal(choose([left.key], records), left.key);
console.log("ok");
