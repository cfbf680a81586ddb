// One report on its way to the server, told apart into a receipt or none (as counter/link.js does for its calls).

import { understand } from "../counter/link.js";

const PATIENCE = { photo: 60_000 };
const USUAL = 10_000;
const REFUSALS = [404, 409, 422];
const LATER = ["too_soon"]; // a clock that ran ahead is overtaken

export function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

/** `fields` are those of the form, `photo` a Blob. What comes back is a reply of queue.js. */
export async function send(record, fields, language) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== null && value !== "") body.append(name, value);
  if (record.photo) body.append("photo", new Blob([record.photo], { type: "image/jpeg" }), "photo.jpg");
  let answer;
  let text;
  try {
    answer = await fetch(record.address, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "Accept-Language": language, "X-CSRFToken": cookie("csrftoken") },
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE[record.kind] ?? USUAL),
    });
    text = await answer.text();
  } catch {
    return { failed: "network" };
  }
  if (answer.type === "opaqueredirect") return { failed: "shut" };
  const said = understand(answer.status, text, answer.headers.get("Retry-After"));
  if (said.ok && said.body?.number) return { answers: [{ key: record.key, state: "accepted", number: said.body.number, paid: said.body.paid }] };
  if (said.problem && REFUSALS.includes(said.problem.status) && !LATER.includes(said.problem.code))
    return { answers: [{ key: record.key, state: "refused", code: said.problem.code, detail: said.problem.detail }] };
  if (answer.status === 404) return { answers: [{ key: record.key, state: "refused", code: "not_there", detail: "404" }] };
  return { failed: said.failed ?? "server", after: said.after };
}
