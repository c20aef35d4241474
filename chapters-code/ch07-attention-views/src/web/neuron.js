// Neuron view: a head from the inside. For the chosen token, number by number: its query, every key,
// their products, the scaled score (their sum over √d), and the softmax's weight.

class NeuronView extends Body {
  constructor(view) {
    super(view);
    const { data, words } = view;
    this.layer = Math.max(0, data.layers.indexOf(data.layer));
    this.head = Math.max(0, data.heads.indexOf(data.visible?.[0]));
    this.expanded = false;
    this.layerMenu = menu(words.layer, data.layers, index => this.set({ layer: index }));
    this.headMenu = menu(words.head, data.heads, index => this.set({ head: index }));
    this.toggle = element('button', {
      type: 'button', class: 'expand', onclick: () => this.set({ expanded: !this.expanded }),
    });
    this.lines = new LinesView(view);
    this.panel = new Panel(words, {
      prefix: 'inside-',
      columns: width => this.columns(width),
      paint: (pen, box) => this.paint(pen, box),
      numbers: (side, index) => this.number(side, index),
      chosen: pins => this.chosen(pins),
      pointed: place => this.pointed(place),
    });
    this.titles = ['query', 'key', 'product', 'score', 'softmax'].map(name =>
      element('span', { class: name }, words[name]));
    this.status = element('p', { class: 'status', role: 'status' });
    const headings = [words.from, words.to, words.score, words.softmax];
    this.table = new Table(words.top, headings, () => this.topRows());
    this.inside = element('div', { class: 'inside' },
      element('div', { class: 'titles', 'aria-hidden': 'true' }, ...this.titles), this.panel.element, this.status,
      this.table.element);
    this.element = element('div', {},
      element('div', { class: 'controls' }, this.layerMenu.element, this.headMenu.element,
        this.paneMenu.element, this.slider.element, this.toggle, saveMenu(view, () => (this.expanded ? this : this.lines))),
      this.lines.element, this.inside);
    for (const panel of [this.lines.panel, this.panel]) {
      panel.sheet.addEventListener('dblclick', () => this.set({ expanded: !this.expanded }));
    }
  }

  set(changes) {
    const from = this.expanded ? this.panel : this.lines.panel;
    const { selection } = from;
    super.set(changes);
    const to = this.expanded ? this.panel : this.lines.panel;
    if (selection?.pinned && from !== to) to.choose(selection.side, selection.index, true);
  }

  render() {
    super.render();
    const { data, words, theme } = this.view;
    this.layerMenu.select.selectedIndex = this.layer;
    this.headMenu.select.selectedIndex = this.head;
    this.toggle.textContent = this.expanded ? words.collapse : words.expand;
    this.toggle.setAttribute('aria-expanded', String(this.expanded));
    this.inside.hidden = !this.expanded;
    this.lines.element.hidden = this.expanded;
    const pane = this.shown;
    if (!this.expanded) {
      const color = () => TONES[theme].line;
      this.lines.show({ pane, layer: this.layer, heads: [this.head], least: this.least, color });
      return;
    }
    const size = numbers => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
    const vectors = [data.queries, data.keys].map(stack => {
      const [, heads, n, width] = stack.shape;
      const start = (this.layer * heads + this.head) * n * width;
      return stack.values.subarray(start, start + n * width);
    });
    this.width = data.queries.shape[3];
    this.largest = { vector: Math.max(...vectors.map(size)), product: 0 };
    const cut = (numbers, [from, to]) => Array.from({ length: to - from }, (_, index) =>
      numbers.subarray((from + index) * this.width, (from + index + 1) * this.width));
    this.queries = cut(vectors[0], pane.rows);
    this.keys = cut(vectors[1], pane.columns);
    this.offset = pane.columns[0] - pane.rows[0]; // of a column's place to a row's, in the text
    if (this.opened !== pane) this.panel.show(pane.left, pane.right);
    this.opened = pane;
    this.panel.draw();
    this.say();
    this.table.fill();
  }

  chosen(pins) {
    this.say();
    if (!pins) return;
    this.table.fill();
    this.view.remember();
  }

  // The largest weights: of the head, or of the token pinned.
  topRows() {
    const { selection } = this.panel;
    const top = topPairs(this.shown, this.layer, [this.head], selection?.pinned ? selection : null, PAIRS);
    return top.map(({ row, column, weight }) =>
      [this.shown.left[row], this.shown.right[column], digits(this.score(row, column), 4), digits(weight, 4)]);
  }

  columns(width) {
    const [left, right] = [Math.min(130, width * 0.2), Math.min(260, width * 0.34)].map(Math.round);
    const gap = Math.min(16, width * 0.02);
    const score = ROW - 4;
    const strip = (width - left - right - score - 5 * gap) / 3;
    const at = [0, 1, 2].map(index => left + gap + index * (strip + gap));
    this.places = { at, strip, score: at[2] + strip + gap, size: score };
    const titles = [...at, this.places.score + score, width - right];
    this.titles.forEach((title, index) => { title.style.left = `${titles[index]}px`; });
    return [left, right];
  }

  // Whether a left-to-right model hides the pair.
  hides(row, column) {
    return this.view.data.causal && column + this.offset > row;
  }

  pairOf({ side, index }, other) {
    return side === 'left' ? [index, other] : [other, index];
  }

  // ANCHOR: score
  product(row, column) {
    return this.queries[row].map((number, place) => number * this.keys[column][place]);
  }

  score(row, column) {
    let sum = 0;
    for (let place = 0; place < this.width; place++) {
      sum += this.queries[row][place] * this.keys[column][place];
    }
    return sum / Math.sqrt(this.width);
  }
  // ANCHOR_END: score

  paint(pen, box) {
    const { selection, top, bottom, left, right, width } = box;
    const { at, strip, score, size } = this.places;
    const tones = TONES[this.view.theme];
    const seen = count => Array.from({ length: count }, (_, index) => index)
      .filter(index => (index + 1) * ROW >= top && index * ROW <= bottom);
    const vector = (numbers, x, row, largest) => {
      const wide = strip / numbers.length;
      numbers.forEach((number, place) => {
        const tone = number < 0 ? tones.negative : tones.positive;
        pen.rect(x + place * wide, row * ROW + 2, wide, ROW - 4, tone, Math.abs(number) / largest);
      });
    };
    const frame = (x, row, wide, opacity) => {
      const [y, end, low] = [row * ROW + 2, x + wide, (row + 1) * ROW - 2];
      pen.line(x, y, end, y, tones.line, opacity, 1);
      pen.line(x, low, end, low, tones.line, opacity, 1);
      pen.line(x, y, x, low, tones.line, opacity, 1);
      pen.line(end, y, end, low, tones.line, opacity, 1);
    };
    for (const row of seen(this.queries.length)) vector(this.queries[row], at[0], row, this.largest.vector);
    for (const row of seen(this.keys.length)) vector(this.keys[row], at[1], row, this.largest.vector);
    if (selection === null) return;
    const { side, index } = selection;
    const others = side === 'left' ? this.keys : this.queries;
    frame(at[side === 'left' ? 0 : 1], index, strip, 1);
    const pane = this.shown;
    const pairs = others.map((_, other) => this.pairOf(selection, other));
    const scores = pairs.map(([row, column]) => this.score(row, column));
    const largest = scores.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
    const products = seen(others.length).map(other => [other, this.product(...pairs[other])]);
    const sizes = products.map(([, numbers]) => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0));
    this.largest.product = Math.max(...sizes);
    const middle = row => (row + 0.5) * ROW;
    for (const [other, numbers] of products) {
      const [row, column] = pairs[other];
      const weight = pane.weight(this.layer, this.head, row, column);
      if (this.hides(row, column) || weight < this.least) continue;
      const strong = Math.tanh(1.8 * weight);
      pen.line(at[0] + strip, middle(row), at[1], middle(column), tones.line, strong);
      frame(at[1 - (side === 'left' ? 0 : 1)], other, strip, strong);
      vector(numbers, at[2], other, this.largest.product);
      const tone = scores[other] < 0 ? tones.negative : tones.positive;
      pen.rect(score, other * ROW + 2, size, size, tone, Math.abs(scores[other]) / largest);
      const bar = side === 'left' ? [right, width - right] : [0, left];
      pen.rect(bar[0], other * ROW + 1, bar[1] * weight, ROW - 2, tones.line, 0.35);
    }
  }

  number(side, other) {
    const { selection } = this.panel;
    const [row, column] = this.pairOf(selection, other);
    if (this.hides(row, column)) return '·';
    const weight = digits(this.shown.weight(this.layer, this.head, row, column));
    return this.panel.box.width < 560 ? weight : `${digits(this.score(row, column), 2)}  ${weight}`;
  }

  say() {
    const { words } = this.view;
    const { selection } = this.panel;
    const darkest = words.darkest(digits(this.largest.vector));
    if (selection === null) {
      this.status.textContent = `${words.help} (${darkest})`;
      return;
    }
    const { left, right } = this.panel.tokens;
    const others = selection.side === 'left' ? right : left;
    const pane = this.shown;
    const weights = others.map((_, other) => pane.weight(this.layer, this.head, ...this.pairOf(selection, other)));
    const best = weights.indexOf(Math.max(...weights));
    const [row, column] = this.pairOf(selection, best);
    this.status.textContent = `${left[row]} → ${right[column]}: ${words.score} = `
      + `${digits(this.score(row, column))}, ${words.softmax} = ${digits(weights[best])} (${darkest})`;
  }

  // The number of a strip under the pointer.
  pointed(place) {
    if (place?.x === undefined) {
      if (place?.side !== undefined) this.sayPair(place);
      return;
    }
    const { at, strip } = this.places;
    const which = at.findIndex(x => place.x >= x && place.x < x + strip);
    const row = Math.floor(place.y / ROW);
    const entry = Math.floor(((place.x - at[which]) / strip) * this.width);
    const { words } = this.view;
    const { selection, tokens: { left, right } } = this.panel;
    const vector = [
      () => [words.query, left[row], this.queries[row]],
      () => [words.key, right[row], this.keys[row]],
      () => selection && [words.product, left[row] ?? '', this.product(...this.pairOf(selection, row))],
    ][which];
    const rows = which === 0 ? left.length : right.length;
    const found = vector && row < rows && vector();
    if (found) this.status.textContent = `${found[0]}[${entry}] · ${found[1]} = ${digits(found[2][entry], 4)}`;
  }

  sayPair({ index }) {
    const [row, column] = this.pairOf(this.panel.selection, index);
    const { left, right } = this.panel.tokens;
    const { words } = this.view;
    this.status.textContent = this.hides(row, column)
      ? `${left[row]} → ${right[column]}: ${words.hidden}`
      : `${left[row]} → ${right[column]}: ${words.score} = ${digits(this.score(row, column), 4)}, ${words.softmax} = `
        + digits(this.shown.weight(this.layer, this.head, row, column), 4);
  }

  state() {
    const { data } = this.view;
    return {
      layer: data.layers[this.layer],
      head: data.heads[this.head],
      ...super.state(),
      inside: this.expanded ? 1 : undefined,
      ...tokenState(this.expanded ? this.panel : this.lines.panel),
    };
  }

  restore(state) {
    super.restore(state);
    const { data } = this.view;
    this.layer = indexIn(data.layers, Number(state.layer), this.layer);
    this.head = indexIn(data.heads, Number(state.head), this.head);
    this.expanded = state.inside === '1';
    this.render();
    restoreToken(this.expanded ? this.panel : this.lines.panel, state.token);
  }

  svg() {
    return this.panel.svg(TONES[this.view.theme]);
  }

  contents() {
    const lists = vectors => [[vectors.map(vector => [...vector])]];
    return {
      pane: this.shown,
      layers: [this.layer],
      heads: [this.head],
      score: (row, column) => this.score(row, column),
      more: () => ({ queries: lists(this.queries), keys: lists(this.keys) }),
    };
  }
}
