// Yes, no and look, for ears and hands: tones made here, and the vibration of the device.

const TONES = {
  yes: [[660, 0, 0.12], [990, 0.12, 0.2]],
  no: [[196, 0, 0.28], [156, 0.3, 0.4]],
  look: [[523, 0, 0.14], [523, 0.22, 0.14]],
};
const SHAKES = { yes: [80], no: [300, 120, 300], look: [120, 80, 120] };

let context = null;

/** Browsers let a page sound once somebody has touched it. */
export function wake() {
  const Context = globalThis.AudioContext;
  if (!Context) return;
  context ??= new Context();
  if (context.state === "suspended") context.resume().catch(() => {});
}

export function feel(kind) {
  navigator.vibrate?.(SHAKES[kind]);
  wake();
  if (!context) return;
  for (const [pitch, from, length] of TONES[kind]) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    const begin = context.currentTime + from;
    tone.type = kind === "no" ? "square" : "sine";
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, begin);
    loudness.gain.exponentialRampToValueAtTime(kind === "no" ? 0.25 : 0.4, begin + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + length);
    tone.connect(loudness).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + length + 0.02);
  }
}
