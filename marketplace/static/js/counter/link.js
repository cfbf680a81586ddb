// One call of the API, told apart into what the counter must know: an answer, a refusal, or no answer.
// Whatever cannot be read as an answer of ours (a captive portal's page, half a body) is no answer.

const PATIENCE = 6_000;

/**
 * {ok: true, status, body} for 2xx with JSON; {problem: {code, detail, status}} for a refusal with a code;
 * {failed: "network" | "busy" | "server" | "shut", after} otherwise; `after` in milliseconds. `date` is the
 * server's clock where it told it, `took` how long the call lasted.
 */
export async function call(path, { method = "GET", body, token, language, headers = {}, patience = PATIENCE } = {}) {
  const began = performance.now();
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        Accept: "application/json",
        "Accept-Language": language,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(patience),
    });
    text = await answer.text();
  } catch {
    return { failed: "network" };
  }
  const about = { status: answer.status, took: performance.now() - began, date: Date.parse(answer.headers.get("Date") ?? "") };
  return { ...about, ...understand(answer.status, text, answer.headers.get("Retry-After")) };
}

export function understand(status, text, retryAfter) {
  const after = pause(retryAfter);
  const body = parsed(text);
  if (status >= 200 && status < 300) return body === undefined ? { failed: "network" } : { ok: true, body };
  if (status === 401) return { failed: "shut" };
  // One elder's PIN is closed for a while: that is an answer, and nobody else has to wait.
  if (body?.code === "pin_locked") return { problem: { code: body.code, detail: body.detail ?? "", status: 422 } };
  if (status === 429 || status === 503 || (status === 409 && after)) return { failed: "busy", after };
  if (status >= 500) return { failed: "server", after };
  if (status >= 400 && typeof body?.code === "string")
    return { problem: { code: body.code, detail: body.detail ?? body.title ?? "", status, errors: body.errors } };
  return { failed: "server", after };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pause(text) {
  if (!text) return 0;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const until = Date.parse(text);
  return Number.isFinite(until) ? Math.max(0, until - Date.now()) : 0;
}
