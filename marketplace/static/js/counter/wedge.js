// A USB scanner is a keyboard that types fast and ends with Enter. Pure but for `listen`.

const FASTEST_HAND = 120; // milliseconds between two keys; a busy tablet hands them on late
const SURELY_A_SCANNER = 30;
const SHORTEST = 8; // characters

/**
 * Collects keys; `press` answers {take: text} for a scan, {swallow: true} where a key may belong to one, `sure` where
 * no hand is as fast, else {}.
 */
export class Wedge {
  constructor() {
    this.text = "";
    this.last = 0;
  }

  press(key, at) {
    const pause = at - this.last;
    const fast = pause <= FASTEST_HAND;
    this.last = at;
    if (key === "Enter" || key === "Tab") {
      const text = fast ? this.text : "";
      this.text = "";
      return text.length >= SHORTEST ? { take: text } : {};
    }
    if (key.length !== 1) return {};
    this.text = fast ? this.text + key : key;
    return this.text.length > 2 ? { swallow: true, sure: pause <= SURELY_A_SCANNER } : {};
  }
}

/** What a key types, also where a Chinese input method has taken the key for itself. */
export function typed(event) {
  if (event.key !== "Process" && !event.isComposing) return event.key;
  const found = /^(?:Digit|Key|Numpad)([0-9A-Z])$/.exec(event.code);
  return found ? found[1] : event.code === "NumpadEnter" ? "Enter" : event.code;
}

/** Calls `take(text)` for each scan, wherever the focus is; what people type stays theirs. */
export function listen(target, take) {
  const wedge = new Wedge();
  target.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const found = wedge.press(typed(event), event.timeStamp);
      const field = event.target.closest?.("input, textarea");
      if (found.take) {
        event.preventDefault(); // or Enter would press the button that has the focus
        event.stopPropagation();
        if (field) field.value = "";
        take(found.take.trim());
      } else if (found.swallow && (found.sure || !field)) {
        event.preventDefault();
        event.stopPropagation();
      }
    },
    true,
  );
}
