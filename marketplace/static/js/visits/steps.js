// What a caregiver can do next at one visit, given what the server knew when it wrote the page and what was told since.
// Pure: no page, no network.

const UNSENT = ["asking", "waiting", "sending"];

/** The records of one visit, oldest first, refused ones left out. */
export function counting(records, work) {
  return records.filter((record) => record.work === work && record.state !== "refused").sort((a, b) => a.order - b.order);
}

/**
 * {steps, waiting}: which forms stand open, and whether something of this visit is not sent yet.
 * page: {step: arrive | there | word | done | missed, door, said} as the server wrote it.
 */
export function open(page, records) {
  let { step, said } = page;
  for (const { kind } of records) {
    if (kind === "arrived" && step === "arrive") step = "there";
    if (kind === "confirmed") said = true;
    if (kind === "left" && (step === "there" || (page.door && step === "arrive"))) step = "over";
    if (kind === "absent") step = "over";
  }
  const waiting = records.some((record) => UNSENT.includes(record.state));
  if (page.door) return { steps: step === "arrive" || step === "there" ? ["left", "absent"] : [], waiting };
  if (step === "arrive") return { steps: ["arrived"], waiting };
  if (step !== "there") return { steps: [], waiting };
  return { steps: [...(said ? [] : ["confirmed"]), "photo", "left", "absent"], waiting };
}

/**
 * Of what the queue would send, the one record to send now: the oldest whose visit has nothing older that waits.
 * What the server could not answer holds up its own visit and no other.
 */
export function choose(keys, records) {
  const unsent = records.filter((record) => UNSENT.includes(record.state)).sort((a, b) => a.order - b.order);
  for (const key of keys) {
    const record = unsent.find((one) => one.key === key);
    if (record && unsent.find((one) => one.work === record.work) === record) return key;
  }
  return null;
}
