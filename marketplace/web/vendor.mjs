// Fills marketplace/static/vendor (git-ignored) from node_modules: `npm run build`.
//
// Source-map comments are cut, because the maps are not shipped and Django's manifest storage would
// look for them. Icons become one sprite holding only those named below: pages refer to
// vendor/icons.svg#name, so an unknown name shows nothing; tests/web checks every name used.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const from = (...parts) => join(root, "node_modules", ...parts);
const to = (...parts) => join(root, "marketplace", "static", "vendor", ...parts);

const FILES = {
  "bootstrap.min.css": from("bootstrap", "dist", "css", "bootstrap.min.css"),
  "htmx.min.js": from("htmx.org", "dist", "htmx.min.js"),
  "echarts.min.js": from("echarts", "dist", "echarts.common.min.js"),
  "barcode-detector.js": from("barcode-detector", "dist", "iife", "ponyfill.js"),
};
// Copied byte for byte.
const BINARY = {
  "zxing_reader.wasm": from("zxing-wasm", "dist", "reader", "zxing_reader.wasm"),
};

const ICONS = `
  arrow-counterclockwise arrow-down arrow-left arrow-right arrow-up arrow-down-up bar-chart box-arrow-right
  building calendar3 calendar-check check-circle-fill check-lg chevron-down chevron-left chevron-right
  chevron-up circle clock clock-history dash-circle download exclamation-triangle-fill eye file-earmark-text
  filetype-csv filetype-xlsx flag-fill funnel geo-alt hourglass-split house info-circle-fill inbox journal-text
  key list lock-fill pencil-square people person person-badge printer question-circle receipt search
  shield-check signpost-split slash-circle table telephone-fill ticket-perforated translate unlock
  x-lg x-octagon-fill
`.trim().split(/\s+/);

const LICENCES = ["barcode-detector", "bootstrap", "bootstrap-icons", "echarts", "htmx.org", "zxing-wasm"];

rmSync(to(), { recursive: true, force: true });
mkdirSync(to("licences"), { recursive: true });

for (const [name, source] of Object.entries(FILES)) {
  const text = readFileSync(source, "utf8").replace(/\/[/*]# sourceMappingURL=.*?(\*\/|$)/gm, "");
  writeFileSync(to(name), text);
}
for (const [name, source] of Object.entries(BINARY)) cpSync(source, to(name));

const symbols = ICONS.map((name) => {
  const svg = readFileSync(from("bootstrap-icons", "icons", `${name}.svg`), "utf8");
  const box = svg.match(/viewBox="([^"]+)"/)[1];
  const body = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
  return `<symbol id="${name}" viewBox="${box}">${body}</symbol>`;
});
writeFileSync(to("icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);

for (const name of LICENCES) {
  cpSync(from(name, "LICENSE"), to("licences", `${name}.txt`));
  if (existsSync(from(name, "NOTICE"))) cpSync(from(name, "NOTICE"), to("licences", `${name}-notice.txt`));
}
console.log(`vendor: ${Object.keys(FILES).length} files, ${ICONS.length} icons`);
