// Chapter 2: the vectors of the positions, their clock hands and how alike they are.
import { LiveElement, clamp, digits, element, field, numbers, say, shape, style, viridis, wrongField } from './live.js';

const MOST = 128;
const SIDE = 430; // of a drawing, at most
const PAGE = { n: 64, d: 64, p: 20, q: 25 };
const FONT = '"Open Sans", sans-serif';

// From blue through gray to orange by even steps in Oklab, as the book's figures have it.
const [GRAY, BLUE, ORANGE] = [[0.93, 0, 0.003], [0.52, -0.0336, -0.1256], [0.52, 0.0919, 0.0919]];

// The color of a number from -1 to 1: [red, green, blue].
function diverging(value) {
  const end = value < 0 ? BLUE : ORANGE;
  const [lightness, a, b] = GRAY.map((gray, axis) => gray + (end[axis] - gray) * Math.min(1, Math.abs(value)));
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const light = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return light.map(part => Math.round(255 * (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055)));
}

// A canvas of rows and columns, of which one is chosen: by a click, or by the arrows. `chosen()` gives it,
// `pick(row, column)` hears of another, `words(row, column)` says what is there.
class Drawing {
  constructor({ label, chosen, pick, words }) {
    Object.assign(this, { chosen, pick, words });
    this.canvas = element('canvas', {
      tabindex: 0, role: 'application', 'aria-label': label,
      onkeydown: event => this.key(event),
      onpointermove: event => this.say(this.at(event)),
      onclick: event => this.choose(this.at(event)),
    });
    this.place = element('div', { class: 'live-place' }, this.canvas);
    this.said = element('p', { class: 'live-said', role: 'status' });
    this.element = element('div', { class: 'live-drawing' }, element('p', { class: 'live-caption', 'aria-hidden': 'true' }, label), this.place, this.said);
    this.size = new ResizeObserver(() => this.draw());
    this.size.observe(this.place);
  }

  show(values, color) {
    [this.rows, this.columns] = [values.length, values[0].length];
    this.values = values;
    this.picture = element('canvas', { width: this.columns, height: this.rows });
    const context = this.picture.getContext('2d');
    const image = context.createImageData(this.columns, this.rows);
    values.flat().forEach((value, i) => image.data.set([...color(value), 255], 4 * i));
    context.putImageData(image, 0, 0);
    this.said.textContent = '';
    this.draw();
  }

  draw() {
    this.extent = Math.min(SIDE, this.place.clientWidth);
    if (this.extent === 0 || !this.values) return;
    [this.left, this.top] = [30, 20];
    this.wide = Math.min(28, (this.extent - this.left - 2) / this.columns);
    this.high = this.tall();
    const [whole, height] = [this.left + this.wide * this.columns + 2, this.top + this.high * this.rows + 3];
    const ratio = window.devicePixelRatio;
    Object.assign(this.canvas, { width: Math.round(whole * ratio), height: Math.round(height * ratio) });
    Object.assign(this.canvas.style, { width: `${whole}px`, height: `${height}px` });
    const context = this.canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = false;
    context.font = `11px ${FONT}`;
    context.textBaseline = 'middle';
    context.fillStyle = getComputedStyle(this.canvas).color;
    this.paint(context);
  }

  tall() {
    return Math.min(28, (this.extent - this.left - 2) / this.rows);
  }

  paint(context) {
    context.drawImage(this.picture, this.left, this.top, this.wide * this.columns, this.high * this.rows);
    this.ticks(context, this.columns, this.wide, (i, at) => context.fillText(i, this.left + at, this.top / 2));
    context.textAlign = 'right';
    this.ticks(context, this.rows, this.high, (i, at) => context.fillText(i, this.left - 4, this.top + at));
    this.marks().forEach(([row, column, rows, columns]) => this.frame(context, row, column, rows, columns));
  }

  // Labels as close as they can be read: every one, second, fifth, tenth…
  ticks(context, count, size, write) {
    const step = [1, 2, 5, 10, 20, 50].find(step => step * size >= 22) ?? 100;
    if (context.textAlign !== 'right') context.textAlign = 'center';
    for (let i = 0; i < count; i += step) write(i, (i + 0.5) * size);
  }

  // A dark line and a light one around cells, so that one of them is seen on any color.
  frame(context, row, column, rows, columns) {
    const [wide, high] = [columns * this.wide, rows * this.high];
    const [x, y] = [this.left + column * this.wide, this.top + row * this.high];
    context.lineWidth = 1.5;
    context.strokeStyle = '#fff';
    context.strokeRect(x - 2, y - 2, wide + 4, high + 4);
    context.strokeStyle = '#000';
    context.strokeRect(x - 0.75, y - 0.75, wide + 1.5, high + 1.5);
  }

  // What is framed: [first row, first column, rows, columns].
  marks() {
    const [row, column] = this.chosen();
    return [[row, 0, 1, this.columns], [row, column, 1, 1]];
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - this.top) / this.high);
    const column = Math.floor((event.clientX - box.left - this.left) / this.wide);
    return row >= 0 && row < this.rows && column >= 0 && column < this.columns ? [row, column] : undefined;
  }

  say(place) {
    if (place) this.said.textContent = this.words(...place);
  }

  choose(place) {
    if (!place) return;
    this.pick(...place);
    this.say(place);
  }

  key(event) {
    if (!this.values || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = this.chosen();
    const to = {
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      Home: [row, 0], End: [row, this.columns - 1], PageUp: [0, column], PageDown: [this.rows - 1, column],
      Enter: [row, column], ' ': [row, column],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    this.choose([clamp(to[0], 0, this.rows - 1), clamp(to[1], 0, this.columns - 1)]);
  }
}

// One row of numbers as bars, from the least of zero and them to the most.
class Bars extends Drawing {
  tall() {
    return 120;
  }

  paint(context) {
    const [values] = this.values;
    const [least, most] = [Math.min(0, ...values), Math.max(...values)];
    const y = value => this.top + this.high * (most - value) / (most - least);
    const style = getComputedStyle(this.canvas);
    const [, chosen] = this.chosen();
    const color = i => (i === this.own() ? '--book-accent' : i === chosen ? '--book-q' : '--book-x');
    const gap = Math.min(2, this.wide / 4);
    values.forEach((value, i) => {
      context.fillStyle = style.getPropertyValue(color(i));
      context.fillRect(this.left + i * this.wide, Math.min(y(value), y(0)), this.wide - gap, Math.max(1, Math.abs(y(value) - y(0))));
    });
    context.fillStyle = style.color;
    context.fillRect(this.left, y(0), this.wide * this.columns, 1);
    this.ticks(context, this.columns, this.wide, (i, at) => context.fillText(i, this.left + at, this.top / 2));
    context.textAlign = 'right';
    context.fillText(digits(most, 0), this.left - 4, this.top + 6);
    if (y(0) > this.top + 20) context.fillText('0', this.left - 4, Math.min(y(0), this.top + this.high - 4));
  }
}

// A pair of columns as a clock: its hand points up at position 0, and turns as clocks do.
class Clock {
  constructor(pair) {
    this.pair = pair;
    this.title = shape('title', {});
    this.other = shape('line', { class: 'other', x1: 0, y1: 0 });
    this.hand = shape('line', { class: 'hand', x1: 0, y1: 0 });
    this.element = element('div', { class: 'live-clock' },
      shape('svg', { viewBox: '-11 -11 22 22', role: 'img' }, this.title, shape('circle', { r: 10 }), this.other, this.hand),
      element('span', { 'aria-hidden': 'true' }, `${2 * pair}, ${2 * pair + 1}`));
  }

  // The two numbers are where a hand of length 1 ends.
  show(position, other) {
    const [column, after] = [2 * this.pair, 2 * this.pair + 1];
    for (const [hand, vector] of [[this.hand, position], [this.other, other]]) {
      hand.setAttribute('x2', 9 * vector[column]);
      hand.setAttribute('y2', -9 * vector[after]);
    }
    const [sine, cosine] = [column, after].map(i => digits(position[i], 4));
    this.title.textContent = say(`colunas ${column} e ${after}: seno ${sine}, cosseno ${cosine}`, `columns ${column} and ${after}: sine ${sine}, cosine ${cosine}`);
  }
}

class Positions extends LiveElement {
  name = 'positions';
  module = 'live_ndarray';
  title = say('As posições e os seus relógios', 'Positions and their clocks');
  wanted = { p: PAGE.p, q: PAGE.q };
  column = 0;

  build() {
    style('positions.css');
    const number = (name, value, more) => field(name, { type: 'number', max: MOST, value, required: true, ...more }, () => {
      this.fit();
      this.changed();
    });
    this.n = number(say('Quantas posições', 'How many positions'), PAGE.n, { name: 'n', min: 2, step: 1 });
    this.d = number('d_model', PAGE.d, { name: 'd', min: 2, step: 2 });
    const slider = (name, label, key) => {
      const found = field(label, { type: 'range', min: 0, step: 1, name }, input => this.choose({ [key]: input.valueAsNumber }));
      found.output = element('output');
      found.element.classList.add(`live-${key}`);
      found.element.append(found.output);
      return found;
    };
    this.p = slider('p', say('Posição', 'Position'), 'p');
    this.q = slider('q', say('Outra posição', 'Another position'), 'q');
    this.fit();
    this.reading = element('p', { class: 'live-reading', role: 'status' });
    this.clocks = element('div', { class: 'live-clocks' });
    this.draw();
    this.vectors = element('div');
    this.body.append(
      element('div', { class: 'live-controls' }, this.n.element, this.d.element),
      element('div', { class: 'live-controls' }, this.p.element, this.q.element),
      this.reading,
      element('div', { class: 'live-pair' }, this.table.element,
        element('div', {}, element('p', { class: 'live-caption' }, say('Um relógio por par de colunas', 'A clock for each pair of columns')), this.clocks)),
      this.details(say('Produtos escalares com as outras posições', 'Dot products with the other positions'),
        element('div', { class: 'live-pair' }, this.bars.element, this.matrix.element)),
      this.details(say('Os números das duas posições', 'The numbers of the two positions'), this.vectors));
    this.theme = new MutationObserver(() => (this.isConnected ? this.drawings.forEach(drawing => drawing.draw()) : this.theme.disconnect()));
    this.theme.observe(document.documentElement, { attributeFilter: ['class'] });
  }

  // What is in it is only filled when it is open.
  details(summary, ...children) {
    return element('details', { ontoggle: () => this.mark() }, element('summary', {}, summary), ...children);
  }

  draw() {
    const product = (p, q) => this.compare(p, q);
    this.table = new Drawing({
      label: say('Uma linha por posição: de −1, azul, a 1, laranja', 'A row for each position: from −1, blue, to 1, orange'),
      chosen: () => [this.at('p'), Math.min(this.column, this.found.table[0].length - 1)],
      pick: (p, column) => {
        this.column = column;
        this.choose({ p });
      },
      words: (row, column) => say(`posição ${row}, coluna ${column}: `, `position ${row}, column ${column}: `) + digits(this.found.table[row][column], 4),
    });
    this.bars = new Bars({
      label: say('Da posição escolhida com cada uma', 'Of the chosen position with each'),
      chosen: () => [0, this.at('q')],
      pick: (_, q) => this.choose({ q }),
      words: (_, q) => product(this.at('p'), q),
    });
    this.bars.own = () => this.at('p');
    this.matrix = new Drawing({
      label: say('De todas com todas: quanto mais claro, maior', 'Of all with all: the lighter, the larger'),
      chosen: () => [this.at('p'), this.at('q')],
      pick: (p, q) => this.choose({ p, q }),
      words: product,
    });
    this.drawings = [this.table, this.bars, this.matrix];
  }

  // The sliders end at the last position; a position that is beyond it comes back with it.
  fit() {
    for (const key of ['p', 'q']) {
      const { input } = this[key];
      if (this.n.input.checkValidity()) input.max = this.n.input.valueAsNumber - 1;
      input.value = this.wanted[key];
      this[key].output.textContent = input.value;
    }
  }

  choose(positions) {
    Object.assign(this.wanted, positions);
    this.fit();
    this.mark();
    this.remember();
  }

  // A chosen position, among those that were computed.
  at(key) {
    return Math.min(this[key].input.valueAsNumber, this.found.table.length - 1);
  }

  values() {
    return { n: this.n.input.value, d: this.d.input.value, p: this.p.input.value, q: this.q.input.value };
  }

  restore({ n, d, p, q }) {
    this.n.input.value = n;
    this.d.input.value = d;
    const whole = (text, otherwise) => (/^\d{1,4}$/.test(text) ? Number(text) : otherwise);
    this.wanted = { p: whole(p, PAGE.p), q: whole(q, PAGE.q) };
    this.fit();
    this.mark();
  }

  request() {
    const wrong = [this.n, this.d].find(({ input }) => !input.checkValidity());
    if (wrong) return wrongField(wrong.element.firstElementChild.textContent, wrong.input);
    return { call: 'positions', request: { n: this.n.input.valueAsNumber, d_model: this.d.input.valueAsNumber } };
  }

  show({ json: found }) {
    this.found = found;
    const pairs = Math.floor(found.table[0].length / 2);
    if (this.hands?.length !== pairs) {
      this.hands = Array.from({ length: pairs }, (_, pair) => new Clock(pair));
      this.clocks.replaceChildren(...this.hands.map(clock => clock.element));
    }
    const products = found.products.flat();
    const [least, most] = [Math.min(...products), Math.max(...products)];
    this.table.show(found.table, diverging);
    this.matrix.show(found.products, value => viridis((value - least) / (most - least)));
    this.mark();
  }

  compare(p, q) {
    const [product, cosine] = [this.found.products, this.found.cosines].map(matrix => digits(matrix[p][q], 4));
    return say(`posições ${p} e ${q}, distância ${Math.abs(p - q)}: produto escalar ${product}, cosseno ${cosine}`,
      `positions ${p} and ${q}, distance ${Math.abs(p - q)}: dot product ${product}, cosine ${cosine}`);
  }

  // Draws the chosen positions.
  mark() {
    if (!this.found) return;
    const [p, q] = [this.at('p'), this.at('q')];
    const { table, products } = this.found;
    this.reading.textContent = this.compare(p, q);
    this.hands.forEach(clock => clock.show(table[p], table[q]));
    this.bars.show([products[p]], () => [0, 0, 0]);
    this.table.draw();
    this.matrix.draw();
    if (!this.vectors.parentElement.open) return;
    const pairs = this.hands.map(({ pair }) => [p, q].flatMap(position => table[position].slice(2 * pair, 2 * pair + 2)));
    const columns = [p, q].flatMap(position => [say(`sen, posição ${position}`, `sin, position ${position}`), say(`cos, posição ${position}`, `cos, position ${position}`)]);
    this.vectors.replaceChildren(numbers(say('Um par de colunas por linha', 'A pair of columns in each row'), pairs.map((_, pair) => `${2 * pair}, ${2 * pair + 1}`), columns, pairs, { places: 4 }));
  }
}

customElements.define('live-positions', Positions);
