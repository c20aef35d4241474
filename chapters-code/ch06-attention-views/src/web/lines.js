// A layer's attention as lines between tokens: the head view, and a head of the model view.

const MOST_LINES = 20000; // at once; each frame stays short
const PAIRS = 10; // in the table

class LinesView {
  constructor(view) {
    this.view = view;
    const { words } = view;
    this.panel = new Panel(words, {
      columns: width => [1, 1].map(() => Math.round(Math.min(190, width * 0.34))),
      paint: (pen, box) => this.paint(pen, box),
      numbers: (side, index) => this.number(side, index),
      chosen: selection => this.chosen(selection),
      pointed: place => this.pointed(place),
    });
    this.status = element('p', { class: 'status', role: 'status' });
    this.rows = element('tbody');
    const headings = [words.from, words.to, words.head, words.weight];
    this.table = element('details', { class: 'top', ontoggle: () => this.fillTable() },
      element('summary', {}, words.top),
      element('table', {},
        element('thead', {}, element('tr', {}, ...headings.map(text => element('th', { scope: 'col' }, text)))),
        this.rows));
    this.element = element('div', { class: 'lines' }, this.panel.element, this.status, this.table);
  }

  // `layer` and `heads` are places in the pane's numbers; `colour` gives a head's.
  show({ pane, layer, heads, least, colour }) {
    const tokensChanged = this.pane !== pane;
    Object.assign(this, { pane, layer, heads, least, colour });
    this.strongest = strongestLines(pane, layer, heads, least, MOST_LINES);
    if (tokensChanged) {
      this.panel.show(pane.left, pane.right);
    }
    this.panel.draw();
    this.say();
    this.fillTable();
  }

  // A line is as dark as its weight; with more heads, lighter, so that a sum does not blacken all.
  paint(pen, { left, right, width, selection }) {
    const share = 1 / Math.sqrt(this.heads.length);
    const middle = index => (index + 0.5) * ROW;
    const line = (head, from, to, weight) => pen.line(left, from, right, to, this.colour(head), weight * share);
    if (selection === null) {
      for (const [head, lines] of this.strongest.lines) {
        for (const [row, column, weight] of lines) line(head, middle(row), middle(column), weight);
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
        pen.rect(x + place * wide, other * ROW, wide, ROW, this.colour(head), weight);
      }
    });
  }

  // The weights between the chosen token and another, by head.
  weights(side, index) {
    const { selection } = this.panel;
    const [row, column] = side === 'right' ? [selection.index, index] : [index, selection.index];
    return this.heads.map(head => this.pane.weight(this.layer, head, row, column));
  }

  number(side, index) {
    const weights = this.weights(side, index);
    return digits(weights.reduce((sum, weight) => sum + weight, 0) / weights.length);
  }

  chosen(selection) {
    this.say();
    if (selection === null || selection.pinned) this.fillTable();
    this.view.remember();
  }

  // Below the drawing: what the chosen token looks at most, or how much is drawn.
  say() {
    const { words } = this.view;
    const { selection } = this.panel;
    if (selection === null) {
      const { shown, total, floor } = this.strongest;
      const cut = floor > this.least;
      this.status.textContent = cut ? words.strongest(shown, total, digits(floor)) : words.help;
      return;
    }
    const { side, index } = selection;
    const token = this.pane[side][index];
    const other = side === 'left' ? 'right' : 'left';
    const ranked = this.pane[other]
      .map((text, place) => [Number(this.number(other, place)), text])
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

  fillTable() {
    if (!this.table.open || this.pane === undefined) return;
    const { selection } = this.panel;
    const top = topPairs(this.pane, this.layer, this.heads, selection?.pinned ? selection : null, PAIRS);
    this.rows.replaceChildren(...top.map(({ head, row, column, weight }) => element('tr', {},
      element('td', {}, this.pane.left[row]),
      element('td', {}, this.pane.right[column]),
      element('td', {}, String(this.view.data.heads[head])),
      element('td', {}, digits(weight, 4)))));
  }

  svg() {
    return this.panel.svg(TONES[this.view.theme]);
  }

  // What is shown, in bertviz's shape, with the numbers of its layer and heads.
  json() {
    const { pane, layer, heads, view } = this;
    return JSON.stringify({
      name: pane.filter, layers: [view.data.layers[layer]], heads: heads.map(head => view.data.heads[head]),
      left_text: pane.left, right_text: pane.right, attn: [heads.map(head => pane.matrix(layer, head))],
    });
  }

  csv() {
    const { pane, layer, heads, view } = this;
    const lines = [['layer', 'head', 'from_index', 'from', 'to_index', 'to', 'weight']];
    for (const head of heads) {
      pane.left.forEach((from, row) => pane.right.forEach((to, column) => {
        const weight = pane.weight(layer, head, row, column);
        lines.push([view.data.layers[layer], view.data.heads[head], row, from, column, to, weight]);
      }));
    }
    return csvText(lines);
  }
}
