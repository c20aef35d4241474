// A layer's attention as lines between tokens: the head view, and a head of the model view.

const MOST_LINES = 20000; // at once; each frame stays short
const THICK = [1, 3]; // pixels: the least, the most
const PAIRS = 10; // in the table
const SLICE = 0.55; // of the color beside a token, which stays legible

class LinesView {
  constructor(view) {
    this.view = view;
    const { words } = view;
    this.panel = new Panel(words, {
      columns: width => [1, 1].map(() => Math.round(Math.min(190, width * 0.34))),
      paint: (pen, box) => this.paint(pen, box),
      numbers: (side, index) => this.number(side, index),
      chosen: pins => this.chosen(pins),
      pointed: place => this.pointed(place),
    });
    this.status = element('p', { class: 'status', role: 'status' });
    const headings = [words.from, words.to, words.head, words.weight];
    this.table = new Table(words.top, headings, () => this.topRows());
    this.element = element('div', { class: 'lines' }, this.panel.element, this.status, this.table.element);
  }

  // `layer` and `heads` are places in the pane's numbers; `color` gives a head's.
  show({ pane, layer, heads, least, color }) {
    const tokensChanged = this.pane !== pane;
    if (tokensChanged || this.layer !== layer || String(this.heads) !== String(heads)) {
      this.strongest = strongestLines(pane, layer, heads, MOST_LINES);
    }
    Object.assign(this, { pane, layer, heads, least, color });
    if (tokensChanged) {
      this.panel.show(pane.left, pane.right);
    }
    this.panel.draw();
    this.say();
    this.table.fill();
  }

  // A line is as dark and as thick as its weight; with more heads, lighter, so that a sum does not blacken all.
  paint(pen, { left, right, width, top, bottom, selection }) {
    const share = 1 / Math.sqrt(this.heads.length);
    const middle = index => (index + 0.5) * ROW;
    const opacity = weight => opacityOf(this.view.theme, weight);
    const line = (head, from, to, weight) =>
      pen.line(left, from, right, to, this.color(head), opacity(weight) * share, widthOf(weight, ...THICK));
    if (selection === null) {
      for (const { head, row, column, weight } of this.strongest.lines) {
        if (weight >= this.least) line(head, middle(row), middle(column), weight);
      }
      return;
    }
    const { side, index } = selection;
    const others = side === 'left' ? this.pane.right : this.pane.left;
    const [x, slice] = side === 'left' ? [right, width - right] : [0, left];
    const wide = slice / this.heads.length;
    this.heads.forEach((head, place) => {
      for (let other = 0; other < others.length; other++) {
        const [row, column] = side === 'left' ? [index, other] : [other, index];
        const weight = this.pane.weight(this.layer, head, row, column);
        if (weight < this.least || weight === 0) continue;
        const slot = other * ROW + ((place + 0.5) / this.heads.length) * ROW; // heads fan out
        const ends = side === 'left' ? [middle(index), slot] : [slot, middle(index)];
        line(head, ...ends, weight);
        const seen = (other + 1) * ROW > top && other * ROW < bottom;
        if (seen) pen.rect(x + place * wide, other * ROW, wide, ROW, this.color(head), opacity(weight) * SLICE);
      }
    });
  }

  // The weights between the chosen token and another, by head.
  weights(side, index) {
    const { selection } = this.panel;
    const [row, column] = side === 'right' ? [selection.index, index] : [index, selection.index];
    return this.heads.map(head => this.pane.weight(this.layer, head, row, column));
  }

  mean(side, index) {
    const weights = this.weights(side, index);
    return weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  }

  number(side, index) {
    return digits(this.mean(side, index));
  }

  chosen(pins) {
    this.say();
    if (!pins) return;
    this.table.fill();
    this.view.remember();
  }

  // Below the drawing: what the chosen token looks at most, or how much is drawn.
  say() {
    const { words } = this.view;
    const { selection } = this.panel;
    if (selection === null) {
      const { lines, total, floor } = this.strongest;
      const cut = floor > this.least;
      this.status.textContent = cut ? words.strongest(lines.length, total, digits(floor)) : words.help;
      return;
    }
    const { side, index } = selection;
    const token = this.pane[side][index];
    const other = side === 'left' ? 'right' : 'left';
    const ranked = this.pane[other]
      .map((text, place) => [this.mean(other, place), text])
      .sort(([a], [b]) => b - a)
      .slice(0, 3)
      .map(([weight, text]) => `${text} ${digits(weight)}`);
    const arrow = side === 'left' ? '→' : '←';
    const mean = this.heads.length > 1 ? ` (${words.mean(this.heads.length)})` : '';
    this.status.textContent = `${token} ${arrow} ${ranked.join(', ')}${mean}`;
  }

  // With a token pinned, the weights to the one pointed at, head by head.
  pointed(place) {
    if (!this.panel.selection?.pinned || place === null) {
      if (this.panel.selection?.pinned) this.say();
      return;
    }
    if (place.side === undefined) return;
    const { selection } = this.panel;
    const weights = this.weights(place.side, place.index);
    const byHead = this.heads
      .map((head, at) => [weights[at], this.view.data.heads[head]])
      .sort(([a], [b]) => b - a)
      .map(([weight, head]) => `${this.view.words.head.toLowerCase()} ${head}: ${digits(weight, 4)}`);
    const arrow = place.side === 'right' ? '→' : '←';
    const [from, to] = [this.pane[selection.side][selection.index], this.pane[place.side][place.index]];
    this.status.textContent = `${from} ${arrow} ${to} · ${byHead.join(', ')}`;
  }

  topRows() {
    const { selection } = this.panel;
    const top = topPairs(this.pane, this.layer, this.heads, selection?.pinned ? selection : null, PAIRS);
    return top.map(({ head, row, column, weight }) =>
      [this.pane.left[row], this.pane.right[column], this.view.data.heads[head], digits(weight, 4)]);
  }

  svg() {
    return this.panel.svg(TONES[this.view.theme]);
  }

  contents() {
    return { pane: this.pane, layers: [this.layer], heads: this.heads };
  }
}
