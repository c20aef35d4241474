// Maps of weights on a canvas: a cell is pointed at, or reached with the arrows, and said in words.
import { clamp, digits, element, say, style, viridis } from './live.js';

const FONT = '"Open Sans", sans-serif';
const TOUCHED = 24; // a cell's side that a finger hits, in CSS pixels
const WIDEST_LABEL = 110;

// A weight's color, as a canvas has it: red, green, blue and alpha in a number's four bytes.
const COLORS = Uint32Array.from({ length: 256 }, (_, i) => {
  const [red, green, blue] = viridis(i / 255);
  return (255 << 24) | (blue << 16) | (green << 8) | red;
});
const color = weight => COLORS[clamp(Math.round(weight * 255), 0, 255)] ?? 0; // none for what is no number

// The pixels of a picture, one for each weight that `weight(row, column)` gives.
function pixels(rows, columns, weight) {
  const canvas = element('canvas', { width: columns, height: rows });
  const context = canvas.getContext('2d');
  const image = context.createImageData(columns, rows);
  const data = new Uint32Array(image.data.buffer);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) data[at] = color(weight(row, column));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// The colors of the scale, from 0 to 1.
export function scale() {
  const stops = Array.from({ length: 17 }, (_, i) => `rgb(${viridis(i / 16)})`);
  const colors = element('span', { class: 'live-scale-colors' });
  colors.style.background = `linear-gradient(to right, ${stops})`;
  return element('div', { class: 'live-scale', role: 'img', 'aria-label': say('Escala de cores: de 0, roxo escuro, a 1, amarelo', 'Color scale: from 0, dark purple, to 1, yellow') }, '0', colors, '1');
}

// A canvas of rows and columns with a cursor. A subclass gives `layout(width)`, which sets `left`, `top`,
// `wide` and `high` (a cell's), `paint(context)` and `words(row, column)`. `onpick(row, column)` hears of
// a click and of Enter.
class Cells {
  rows = 0;
  columns = 0;

  constructor({ label, hint, onpick }) {
    style('maps.css');
    this.hint = hint;
    this.onpick = onpick;
    this.canvas = element('canvas', {
      class: 'live-canvas', tabindex: 0, role: 'application', 'aria-label': label,
      onkeydown: event => this.key(event),
      onfocus: () => this.cursor === undefined && this.canvas.matches(':focus-visible') && this.move(0, 0),
      onpointermove: event => this.point(event),
      onpointerdown: event => this.point(event),
      onclick: event => this.point(event) && this.onpick?.(...this.cursor),
    });
    this.scroller = element('div', { class: 'live-canvas-place' }, this.canvas);
    this.said = element('p', { class: 'live-said', role: 'status' }, hint);
    this.element = element('div', { class: 'live-map' }, this.scroller, this.said);
    const theme = new MutationObserver(() => this.draw());
    new ResizeObserver(() => { // also when the map comes into the page, and goes
      if (this.canvas.isConnected) theme.observe(document.documentElement, { attributeFilter: ['class'] });
      else theme.disconnect();
      this.draw();
    }).observe(this.scroller);
  }

  set label(text) {
    this.canvas.setAttribute('aria-label', text);
  }

  // What is shown is another: the cursor stays where it still is a cell.
  resized(rows, columns) {
    [this.rows, this.columns] = [rows, columns];
    if (this.cursor && (this.cursor[0] >= rows || this.cursor[1] >= columns)) this.cursor = undefined;
    this.draw();
    this.say();
  }

  draw() {
    const width = this.scroller.clientWidth;
    if (width === 0 || this.rows === 0) return;
    const context = this.canvas.getContext('2d');
    this.layout(width, context);
    const [whole, height] = [this.left + this.wide * this.columns + 2, this.top + this.high * this.rows + 2];
    const ratio = window.devicePixelRatio;
    this.canvas.width = Math.round(whole * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${whole}px`;
    this.canvas.style.height = `${height}px`;
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = false;
    context.fillStyle = getComputedStyle(this.canvas).color;
    this.paint(context);
    if (this.cursor) this.frame(context, ...this.cursor, '#fff', '#000');
  }

  // Two lines around a cell, so that one of them is seen on any color.
  frame(context, row, column, inner, outer) {
    const grow = Math.max(0, 6 - Math.min(this.wide, this.high)) / 2;
    const [x, y] = [this.left + column * this.wide - grow, this.top + row * this.high - grow];
    const [wide, high] = [this.wide + 2 * grow, this.high + 2 * grow];
    context.lineWidth = 1.5;
    context.strokeStyle = outer;
    context.strokeRect(x, y, wide, high);
    context.strokeStyle = inner;
    context.strokeRect(x + 1.5, y + 1.5, Math.max(1, wide - 3), Math.max(1, high - 3));
  }

  say() {
    this.said.textContent = this.cursor ? this.words(...this.cursor) : this.hint;
  }

  move(row, column) {
    if (this.rows === 0) return;
    this.cursor = [clamp(row, 0, this.rows - 1), clamp(column, 0, this.columns - 1)];
    this.draw();
    this.say();
  }

  // Whether the pointer is on a cell, which the cursor then is on.
  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - this.top) / this.high);
    const column = Math.floor((event.clientX - box.left - this.left) / this.wide);
    if (!(row >= 0 && row < this.rows && column >= 0 && column < this.columns)) return false;
    if (row !== this.cursor?.[0] || column !== this.cursor?.[1]) this.move(row, column);
    return true;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.rows === 0) return;
    const [row, column] = this.cursor ?? [0, 0];
    const to = {
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      Home: [row, 0], End: [row, this.columns - 1], PageUp: [0, column], PageDown: [this.rows - 1, column],
    }[event.key];
    if (to) {
      this.move(...to);
      this.reach();
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.onpick?.(row, column);
    } else {
      return;
    }
    event.preventDefault();
  }

  // The cursor's column comes into sight where the map is wider than its place.
  reach() {
    const [start, width] = [this.left + this.cursor[1] * this.wide, this.scroller.clientWidth];
    const { scrollLeft } = this.scroller;
    if (start < scrollLeft) this.scroller.scrollLeft = this.cursor[1] === 0 ? 0 : start;
    if (start + this.wide > scrollLeft + width) this.scroller.scrollLeft = start + this.wide - width + 2;
  }
}

// One map of weights from 0 to 1: the row looks, the column is looked at.
export class AttentionMap extends Cells {
  constructor({ label, onpick }) {
    super({ label, onpick, hint: say('Aponte uma célula, ou vá a ela com as setas: a linha olha, a coluna é olhada.', 'Point at a cell, or go to it with the arrows: the row looks, the column is looked at.') });
    this.element.insertBefore(scale(), this.said);
  }

  // weights[offset + row * stride + column]
  show({ rows, columns, weights, offset = 0, stride = columns.length }) {
    this.names = { rows, columns };
    this.weight = (row, column) => weights[offset + row * stride + column];
    this.picture = pixels(rows.length, columns.length, this.weight);
    this.resized(rows.length, columns.length);
  }

  words(row, column) {
    const place = i => (this.labeled ? '' : ` (${i})`); // of many tokens with no labels
    return `${this.names.rows[row]}${place(row)} → ${this.names.columns[column]}${place(column)}: ${digits(this.weight(row, column))}`;
  }

  layout(width, context) {
    context.font = `13px ${FONT}`;
    const widest = names => Math.min(WIDEST_LABEL, Math.ceil(Math.max(...names.map(name => context.measureText(name).width))) + 8);
    const least = this.columns > 24 ? 1 : matchMedia('(pointer: coarse)').matches ? TOUCHED : 16;
    const side = left => {
      const found = clamp((width - left - 2) / this.columns, least, 36);
      return found > 4 ? Math.floor(found) : found;
    };
    const left = widest(this.names.rows);
    this.labeled = side(left) >= 12;
    this.left = this.labeled ? left : 1;
    this.wide = this.high = side(this.left);
    const top = widest(this.names.columns);
    this.upright = top - 4 > this.wide;
    this.top = this.labeled ? (this.upright ? top : 22) : 1;
  }

  paint(context) {
    context.drawImage(this.picture, this.left, this.top, this.wide * this.columns, this.high * this.rows);
    if (!this.labeled) return;
    const size = clamp(this.wide, 9, 13);
    const write = (text, bold, x, y, turned) => {
      context.save();
      context.font = `${bold ? 700 : 400} ${size}px ${FONT}`;
      context.translate(x, y);
      if (turned) context.rotate(-Math.PI / 2);
      context.fillText(shortened(context, text), 0, 0);
      context.restore();
    };
    const [row, column] = this.cursor ?? [];
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    this.names.rows.forEach((name, i) => write(name, i === row, this.left - 5, this.top + (i + 0.5) * this.high));
    context.textAlign = this.upright ? 'left' : 'center';
    this.names.columns.forEach((name, i) => write(name, i === column, this.left + (i + 0.5) * this.wide, this.upright ? this.top - 5 : this.top - 10, this.upright));
  }
}

// A label that is too long for its place ends in an ellipsis.
function shortened(context, text) {
  if (context.measureText(text).width <= WIDEST_LABEL - 8) return text;
  let end = [...text];
  while (end.length > 1 && context.measureText(`${end.join('')}…`).width > WIDEST_LABEL - 8) end = end.slice(0, -1);
  return `${end.join('')}…`;
}

const FINEST = 64; // pixels of a small map's side

// All heads, a row of small maps for each layer; one is chosen. `onpick(layer, head)`.
export class HeadGrid extends Cells {
  constructor({ label, onpick, hint = say('Um clique, ou as setas e Enter, escolhe um head.', 'A click, or the arrows and Enter, chooses a head.') }) {
    super({ label, onpick, hint });
  }

  // weights: [layers, heads, size, size]
  show({ layers, heads, size, weights }) {
    this.side = Math.min(size, FINEST);
    const { side } = this;
    const edges = Array.from({ length: side + 1 }, (_, i) => Math.floor((i * size) / side));
    this.picture = pixels(layers * side, heads * side, (y, x) => {
      const start = (Math.floor(y / side) * heads + Math.floor(x / side)) * size * size;
      return largest(weights, start, size, edges[y % side], edges[y % side + 1], edges[x % side], edges[x % side + 1]);
    });
    this.resized(layers, heads);
  }

  choose(layer, head) {
    this.chosen = [layer, head];
    this.draw();
    this.say();
  }

  words(layer, head) {
    const chosen = this.chosen?.[0] === layer && this.chosen[1] === head;
    return say(`camada ${layer}, head ${head}`, `layer ${layer}, head ${head}`) + (chosen ? say(' (escolhido)', ' (chosen)') : '');
  }

  layout(width) {
    this.left = 18;
    this.top = 20;
    this.wide = this.high = clamp(Math.floor((width - this.left - 2) / this.columns), TOUCHED, 60);
  }

  paint(context) {
    const { side } = this;
    context.font = `11px ${FONT}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (let head = 0; head < this.columns; head++) context.fillText(head, this.left + (head + 0.5) * this.wide, this.top / 2);
    for (let layer = 0; layer < this.rows; layer++) {
      const y = this.top + layer * this.high;
      context.fillText(layer, this.left / 2, y + this.high / 2);
      for (let head = 0; head < this.columns; head++) {
        context.drawImage(this.picture, head * side, layer * side, side, side, this.left + head * this.wide + 2, y + 2, this.wide - 4, this.high - 4);
      }
    }
    if (this.chosen) {
      const accent = getComputedStyle(this.canvas).getPropertyValue('--book-accent');
      this.frame(context, ...this.chosen, accent, accent);
    }
  }
}

// The largest weight of a part of a map, which a small picture of it is not to lose.
function largest(weights, start, stride, top, bottom, left, right) {
  let found = 0;
  for (let row = top; row < bottom; row++) {
    for (let at = start + row * stride + left, end = at + right - left; at < end; at++) {
      if (weights[at] > found) found = weights[at];
    }
  }
  return found;
}
