// Draws one kind of QR code: version 5, error correction M, alphanumeric, which is what an elder's token fills
// (ISO/IEC 18004). The server draws the first; a phone without a network draws the next ones with this.

const SIZE = 37; // modules a side in version 5
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const BLOCKS = 2;
const DATA_WORDS = 43; // of each block
const CHECK_WORDS = 24;
const FORMAT = 0b101010000010010; // error correction M, mask 0, with its own check bits
export const CAPACITY = 122; // characters

// Arithmetic in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1, by logarithms.
const EXP = [];
const LOG = [];
for (let power = 0, value = 1; power < 255; power += 1) {
  EXP[power] = value;
  LOG[value] = power;
  value <<= 1;
  if (value > 255) value ^= 0x11d;
}
const multiply = (a, b) => (a && b ? EXP[(LOG[a] + LOG[b]) % 255] : 0);

// (x - 2^0)(x - 2^1)..., highest power first, without its leading 1.
const GENERATOR = (() => {
  let product = [1];
  for (let root = 0; root < CHECK_WORDS; root += 1) {
    const next = [...product, 0];
    product.forEach((factor, place) => {
      next[place + 1] ^= multiply(factor, EXP[root]);
    });
    product = next;
  }
  return product.slice(1);
})();

/** The modules of the code for this text, row by row: true is dark. A text that does not fit throws. */
export function modules(text) {
  const words = interleaved(dataWords(text));
  const { dark, fixed } = frame();
  const bits = words.flatMap((word) => [7, 6, 5, 4, 3, 2, 1, 0].map((place) => (word >> place) & 1));
  let next = 0;
  for (const [row, column] of places(fixed)) {
    const bit = next < bits.length ? bits[next] : 0; // seven places are left over in this version
    next += 1;
    dark[row][column] = Boolean(bit ^ ((row + column) % 2 === 0 ? 1 : 0)); // mask 0
  }
  return dark;
}

/** The dark modules as the `d` of an SVG path, one unit a module, with a quiet edge of `edge` modules. */
export function path(dark, edge = 2) {
  const runs = [];
  dark.forEach((cells, row) => {
    for (let column = 0; column < cells.length; column += 1) {
      if (!cells[column]) continue;
      const start = column;
      while (cells[column + 1]) column += 1;
      runs.push(`M${start + edge} ${row + edge}h${column - start + 1}v1h-${column - start + 1}z`);
    }
  });
  return runs.join("");
}

function dataWords(text) {
  const values = Array.from(text, (character) => ALPHABET.indexOf(character));
  if (values.includes(-1) || values.length > CAPACITY) throw new RangeError("does not fit this QR code");
  const bits = [];
  const put = (value, length) => {
    for (let place = length - 1; place >= 0; place -= 1) bits.push((value >> place) & 1);
  };
  put(0b0010, 4);
  put(values.length, 9);
  for (let place = 0; place < values.length; place += 2) {
    if (place + 1 < values.length) put(values[place] * 45 + values[place + 1], 11);
    else put(values[place], 6);
  }
  const room = BLOCKS * DATA_WORDS * 8;
  put(0, Math.min(4, room - bits.length));
  while (bits.length % 8) bits.push(0);
  const words = [];
  for (let place = 0; place < bits.length; place += 8) {
    words.push(bits.slice(place, place + 8).reduce((word, bit) => word * 2 + bit, 0));
  }
  for (let pad = 0xec; words.length < BLOCKS * DATA_WORDS; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

function interleaved(words) {
  const blocks = Array.from({ length: BLOCKS }, (_, n) => words.slice(n * DATA_WORDS, (n + 1) * DATA_WORDS));
  const checks = blocks.map(remainder);
  const across = (lists) => lists[0].flatMap((_, place) => lists.map((list) => list[place]));
  return [...across(blocks), ...across(checks)];
}

function remainder(block) {
  const rest = [...block, ...Array(CHECK_WORDS).fill(0)];
  block.forEach((_, place) => {
    const factor = rest[place];
    GENERATOR.forEach((term, offset) => {
      rest[place + 1 + offset] ^= multiply(term, factor);
    });
  });
  return rest.slice(block.length);
}

/** Everything that is not data: finders, timing, alignment, format; `fixed` says where it stands. */
function frame() {
  const dark = Array.from({ length: SIZE }, () => Array(SIZE).fill(false));
  const fixed = Array.from({ length: SIZE }, () => Array(SIZE).fill(false));
  const set = (row, column, value) => {
    if (row < 0 || column < 0 || row >= SIZE || column >= SIZE) return;
    dark[row][column] = value;
    fixed[row][column] = true;
  };
  for (let place = 0; place < SIZE; place += 1) {
    set(6, place, place % 2 === 0);
    set(place, 6, place % 2 === 0);
  }
  const rings = (row, column, reach, light) => {
    for (let down = -reach; down <= reach; down += 1) {
      for (let right = -reach; right <= reach; right += 1) {
        const ring = Math.max(Math.abs(down), Math.abs(right));
        set(row + down, column + right, !light.includes(ring));
      }
    }
  };
  for (const [row, column] of [[3, 3], [3, SIZE - 4], [SIZE - 4, 3]]) rings(row, column, 4, [2, 4]);
  rings(30, 30, 2, [1]);
  for (let place = 0; place < 15; place += 1) {
    const bit = ((FORMAT >> place) & 1) === 1;
    set(place < 6 ? place : place < 8 ? place + 1 : SIZE - 15 + place, 8, bit);
    set(8, place < 8 ? SIZE - 1 - place : place < 9 ? 7 : 14 - place, bit);
  }
  set(SIZE - 8, 8, true);
  return { dark, fixed };
}

/** Where data goes: pairs of columns from the right, up and down in turn, without the upright timing column. */
function* places(fixed) {
  let up = true;
  for (let right = SIZE - 1; right > 0; right -= 2) {
    if (right === 6) right -= 1;
    for (let step = 0; step < SIZE; step += 1) {
      const row = up ? SIZE - 1 - step : step;
      for (const column of [right, right - 1]) if (!fixed[row][column]) yield [row, column];
    }
    up = !up;
  }
}
