// Reading QR codes from the camera: the browser's own reader where there is one, else ours in WebAssembly, which is
// fetched only then (and kept by the service worker for the day without a network).

const PAUSE = 90; // milliseconds between two looks
const LARGEST = 800; // pixels of the longer side that is looked at

let made = null;

/** A detector; `files` are the addresses of our own: {decoder, wasm}. */
export function detector(files) {
  made ??= make(files).catch((error) => {
    made = null;
    throw error;
  });
  return made;
}

async function make(files) {
  const own = globalThis.BarcodeDetector;
  if (own && (await own.getSupportedFormats().catch(() => [])).includes("qr_code"))
    return new own({ formats: ["qr_code"] });
  await script(files.decoder);
  const { BarcodeDetector, prepareZXingModule } = globalThis.BarcodeDetectionAPI;
  await prepareZXingModule({ overrides: { locateFile: () => files.wasm }, fireImmediately: true });
  return new BarcodeDetector({ formats: ["qr_code"] });
}

function script(address) {
  return new Promise((done, refuse) => {
    const tag = document.createElement("script");
    tag.src = address;
    tag.onload = done;
    tag.onerror = () => refuse(new Error("the reader did not load"));
    document.head.append(tag);
  });
}

export class Camera {
  constructor(video, files, take) {
    Object.assign(this, { video, files, take, stream: null, running: false });
    this.canvas = document.createElement("canvas");
  }

  /** Raises NotAllowedError, NotFoundError and the like, as the browser says it. */
  async start() {
    if (this.running) return;
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no camera", "NotFoundError");
    this.running = true;
    try {
      const [stream, reader] = await Promise.all([
        navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } }),
        detector(this.files),
      ]);
      if (!this.running) return stop(stream);
      this.stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
      this.look(reader);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop() {
    this.running = false;
    stop(this.stream);
    this.stream = null;
    this.video.srcObject = null;
  }

  async look(reader) {
    while (this.running) {
      const found = await this.once(reader).catch(() => "");
      if (!this.running) return;
      if (found) this.take(found);
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }

  async once(reader) {
    const { videoWidth: wide, videoHeight: high } = this.video;
    if (!wide || document.hidden) return "";
    const scale = Math.min(1, LARGEST / Math.max(wide, high));
    this.canvas.width = Math.round(wide * scale);
    this.canvas.height = Math.round(high * scale);
    this.canvas.getContext("2d", { willReadFrequently: true }).drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    const found = await reader.detect(this.canvas);
    return found[0]?.rawValue ?? "";
  }
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
