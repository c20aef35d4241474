// From the text in the page to numbers, and to the parts of them that a menu names.

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

async function inflate(text) {
  const stream = new DecompressionStream('deflate');
  const writer = stream.writable.getWriter();
  const written = [writer.write(fromBase64(text)), writer.close()];
  const bytes = new Uint8Array(await new Response(stream.readable).arrayBuffer());
  await Promise.all(written);
  return bytes;
}

// The numbers of `{shape, kind, data}`: byte planes, the most significant byte first.
async function decode({ shape, kind, data }) {
  const planes = await inflate(data);
  const [width, Numbers, unit] = kind === 'u16' ? [2, Uint16Array, 1 / 65535] : [4, Float32Array, 1];
  const count = planes.length / width;
  const bytes = new Uint8Array(planes.length); // little-endian, as every browser's machine is
  for (let plane = 0; plane < width; plane++) {
    const start = plane * count;
    for (let i = 0, to = width - 1 - plane; i < count; i++, to += width) {
      bytes[to] = planes[start + i];
    }
  }
  return { shape, values: new Numbers(bytes.buffer), unit };
}

// A part of a stack's rows and columns, with its tokens: one entry of the menu.
class Pane {
  constructor({ filter, rows, columns }, { weights, left, right }) {
    this.filter = filter;
    this.left = left.slice(...rows);
    this.right = right.slice(...columns);
    this.rows = rows;
    this.columns = columns;
    this.weights = weights;
    this.unit = weights.unit;
    this.values = weights.values;
    this.stride = weights.shape[3];
  }

  // Where the pane's first weight of a head stands in `values`; a row is `stride` further.
  start(layer, head) {
    const [, heads, rows, columns] = this.weights.shape;
    return (layer * heads + head) * rows * columns + this.rows[0] * columns + this.columns[0];
  }

  weight(layer, head, row, column) {
    return this.values[this.start(layer, head) + row * this.stride + column] * this.unit;
  }

  // A head's weights as nested lists.
  matrix(layer, head) {
    return this.left.map((_, row) => this.right.map((_, column) => this.weight(layer, head, row, column)));
  }
}

// All numbers and panes of a view.
async function open(data) {
  const stacks = await Promise.all(data.stacks.map(async ({ weights, left, right }) =>
    ({ weights: await decode(weights), left, right })));
  const [queries, keys] = await Promise.all([data.queries, data.keys].map(part => part && decode(part)));
  const panes = data.panes.map(pane => new Pane(pane, stacks[pane.stack]));
  return { ...data, stacks: undefined, panes, queries, keys };
}

// The strongest lines of some heads, at most `most`; with more, a count by size says from which weight
// on they fit.
function strongestLines(pane, layer, heads, most) {
  const { values, unit, stride } = pane;
  const [rows, columns] = [pane.left.length, pane.right.length];
  const total = rows * columns * heads.length;
  const each = visit => {
    for (const head of heads) {
      let at = pane.start(layer, head);
      for (let row = 0; row < rows; row++, at += stride) {
        for (let column = 0; column < columns; column++) visit(values[at + column] * unit, head, row, column);
      }
    }
  };
  let floor = 0;
  if (total > most) {
    const SIZES = 4096;
    const sizes = new Uint32Array(SIZES + 1);
    each(weight => { sizes[Math.min(SIZES, Math.floor(Math.sqrt(Math.max(0, weight)) * SIZES))]++; });
    let kept = 0;
    let bin = SIZES;
    while (bin > 0 && kept + sizes[bin] <= most) kept += sizes[bin--];
    floor = ((bin + 1) / SIZES) ** 2;
  }
  const lines = [];
  each((weight, head, row, column) => {
    if (weight >= floor && weight > 0) lines.push({ head, row, column, weight });
  });
  return { lines, total, floor };
}

// The `count` largest weights: of a layer's heads, or of one token's only.
function topPairs(pane, layer, heads, selection, count) {
  const top = [];
  const consider = (head, row, column) => {
    const weight = pane.weight(layer, head, row, column);
    if (top.length < count || weight > top[top.length - 1].weight) {
      const place = top.findIndex(other => other.weight < weight);
      top.splice(place < 0 ? top.length : place, 0, { head, row, column, weight });
      top.length = Math.min(top.length, count);
    }
  };
  const [rows, columns] = [pane.left.length, pane.right.length];
  const only = selection ?? {};
  for (const head of heads) {
    for (let row = only.side === 'left' ? only.index : 0; row < rows; row++) {
      for (let column = only.side === 'right' ? only.index : 0; column < columns; column++) {
        consider(head, row, column);
        if (only.side === 'right') break;
      }
      if (only.side === 'left') break;
    }
  }
  return top;
}
