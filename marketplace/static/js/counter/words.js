// The words of the counter, both languages in the page: the tablet may change language without a network.

let all = {};
let spoken = "zh-hans";

export function setWords(words) {
  all = words;
}

export function setLanguage(language) {
  spoken = all[language] ? language : "zh-hans";
  document.documentElement.lang = spoken === "zh-hans" ? "zh-Hans" : spoken;
  document.title = t("title");
}

export function language() {
  return spoken;
}

/** The words under a name, with {places} filled in. */
export function t(name, places = {}) {
  const text = all[spoken]?.[name];
  if (text === undefined) throw new Error(`no words: ${name}`);
  return text.replace(/\{(\w+)\}/g, (_, place) => String(places[place] ?? ""));
}

/** The name of a service or reason in the language spoken. */
export function has(name) {
  return all[spoken]?.[name] !== undefined;
}

const clock = (options) => (at) => new Intl.DateTimeFormat(spoken === "en" ? "en-GB" : "zh-CN", { timeZone: "Asia/Shanghai", ...options }).format(at);

export const hour = clock({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const fullDay = clock({ year: "numeric", month: "long", day: "numeric", weekday: "long" });
export const dayOf = (at) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(at);

/** 12 minutes, 3 hours: how long something has lain. */
export function age(milliseconds) {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return t("age_now");
  if (minutes < 60) return t("age_minutes", { n: minutes });
  return t("age_hours", { n: Math.floor(minutes / 60) });
}

/** 9:40 */
export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
