// Amounts: strings in the API ("8.00"), whole fen inside, 8 元 on screen. Never a float.

export function fen(text) {
  const found = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(String(text ?? "").trim());
  if (!found) throw new Error(`not an amount: ${text}`);
  const value = Number(found[2]) * 100 + Number((found[3] ?? "").padEnd(2, "0"));
  return found[1] ? -value : value;
}

/** 8, 8.50, 1,234: without the unit. */
export function plainYuan(value) {
  const sign = value < 0 ? "−" : "";
  const whole = String(Math.trunc(Math.abs(value) / 100)).replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = Math.abs(value) % 100;
  return sign + (rest ? `${whole}.${String(rest).padStart(2, "0")}` : whole);
}

/** 8.00: for columns. */
export function table(value) {
  const sign = value < 0 ? "−" : "";
  const whole = String(Math.trunc(Math.abs(value) / 100)).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}${whole}.${String(Math.abs(value) % 100).padStart(2, "0")}`;
}
