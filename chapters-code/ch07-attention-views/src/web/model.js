// Model view: every head of every layer, small; one at a time large.

const THUMB_BINS = 24; // longer texts: the largest weight of each bin
const THUMB_THICK = [0.5, 2]; // pixels: the least, the most
const FRAME = 10; // milliseconds of drawing

class ModelView extends Body {
  constructor(view) {
    super(view);
    const { data, words } = view;
    this.detail = null; // [layer, head], as places
    this.focus = [0, 0];
    this.binned = new Map();
    this.status = element('p', { class: 'status', role: 'status' }, words.gridHelp);
    this.cells = data.layers.map((layer, row) => data.heads.map((head, column) => this.cell(row, column)));
    const corner = element('span', { class: 'corner', role: 'columnheader' }, `${words.layers} ↓ ${words.heads} →`);
    const columns = data.heads.map(head => element('span', { role: 'columnheader' }, String(head)));
    const rows = data.layers.map((layer, row) => element('div', { role: 'row', class: 'row' },
      element('span', { role: 'rowheader' }, String(layer)), ...this.cells[row]));
    this.grid = element('div', {
      class: 'grid', role: 'grid', 'aria-label': `${words.layers} × ${words.heads}`,
      style: `--heads: ${data.heads.length}`, onkeydown: event => this.key(event),
    }, element('div', { role: 'row', class: 'row' }, corner, ...columns), ...rows);
    // one canvas behind all cells: a canvas in each would be a layer each for the browser
    this.canvas = element('canvas', { 'aria-hidden': 'true' });
    this.sheet = element('div', { class: 'thumbnails' }, this.canvas, this.grid);
    this.lines = new LinesView(view);
    this.title = element('p', { class: 'title', id: 'title' });
    const close = element('button', { type: 'button', class: 'close', onclick: () => this.open(null) }, words.close);
    this.large = element('section', { class: 'detail', hidden: true, 'aria-labelledby': 'title', onkeydown: event => this.escape(event) },
      element('div', { class: 'controls' }, this.title, close, saveMenu(view, () => this.lines)),
      this.lines.element);
    this.element = element('div', {},
      element('div', { class: 'controls overview-controls' }, this.paneMenu.element, this.slider.element, saveMenu(view, () => this)),
      element('div', { class: 'overview' }, element('div', {}, this.sheet, this.status), this.large));
    new ResizeObserver(() => { if (String(this.gridSize()) !== String(this.size)) this.drawAll(); }).observe(this.grid);
  }

  cell(layer, head) {
    const name = this.name(layer, head);
    return element('button', {
      type: 'button', class: 'cell', role: 'gridcell', 'aria-label': name, 'aria-selected': 'false',
      tabindex: layer === 0 && head === 0 ? 0 : -1,
      onclick: () => this.open(this.isOpen(layer, head) ? null : [layer, head]),
      onpointerenter: () => this.say(layer, head),
      onfocus: () => { this.focus = [layer, head]; this.say(layer, head); },
    });
  }

  name(layer, head) {
    const { data, words } = this.view;
    return `${words.layer} ${data.layers[layer]}, ${words.head.toLowerCase()} ${data.heads[head]}`;
  }

  isOpen(layer, head) {
    return this.detail?.[0] === layer && this.detail[1] === head;
  }

  say(layer, head) {
    const pane = this.shown;
    const [{ row, column, weight }] = topPairs(pane, layer, [head], null, 1);
    this.status.textContent =
      `${this.name(layer, head)}: ${pane.left[row]} → ${pane.right[column]} ${digits(weight)}`;
  }

  key(event) {
    const [layer, head] = this.focus;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const far = { Home: [layer, 0], End: [layer, this.cells[0].length - 1] }[event.key];
    const to = far ?? (step && [layer + step[0], head + step[1]]);
    if (event.key === 'Escape' && this.detail) {
      this.open(null);
    } else if (to === undefined) {
      return;
    } else if (this.cells[to[0]]?.[to[1]]) {
      this.cells[layer][head].tabIndex = -1;
      this.cells[to[0]][to[1]].tabIndex = 0;
      this.cells[to[0]][to[1]].focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // Escape in the large head goes back to its thumbnail.
  escape(event) {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    this.open(null);
    event.stopPropagation();
  }

  open(detail) {
    const before = this.detail;
    this.set({ detail });
    if (detail === null && before) this.cells[before[0]][before[1]].focus();
  }

  render() {
    super.render();
    const { data, theme } = this.view;
    this.cells.forEach((row, layer) => row.forEach((cell, head) => {
      cell.setAttribute('aria-selected', String(this.isOpen(layer, head)));
      cell.style.setProperty('--color', colorOf(theme, data.layers[layer]));
    }));
    const key = `${this.pane} ${this.least} ${theme}`;
    if (this.drawn !== key) {
      this.drawn = key;
      this.drawAll();
    }
    this.large.hidden = this.detail === null;
    if (this.detail === null) return;
    const [layer, head] = this.detail;
    this.title.textContent = this.name(layer, head);
    const color = () => colorOf(theme, data.layers[layer]);
    this.lines.show({ pane: this.shown, layer, heads: [head], least: this.least, color });
  }

  gridSize() {
    return [this.grid.clientWidth, this.grid.clientHeight, devicePixelRatio];
  }

  // Every head's place: x, y, width, height.
  places() {
    const { left, top } = this.grid.getBoundingClientRect();
    return this.cells.flatMap((row, layer) => row.map((cell, head) => {
      const { x, y, width, height } = cell.getBoundingClientRect();
      return { layer, head, box: [x - left, y - top, width, height] };
    }));
  }

  // As much in each frame as leaves the page time to answer.
  drawAll() {
    cancelAnimationFrame(this.next);
    this.canvas.classList.remove('drawn');
    this.size = this.gridSize();
    const [width, height, scale] = this.size;
    if (width === 0) return; // not in the page yet
    Object.assign(this.canvas, { width: width * scale, height: height * scale });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = this.canvas.getContext('2d');
    context.scale(scale, scale);
    const places = this.places();
    const some = () => {
      const end = performance.now() + FRAME;
      while (places.length > 0 && performance.now() < end) {
        const pen = new CanvasPen(context);
        const { layer, head, box } = places.shift();
        this.paintCell(pen, layer, head, ...box);
        pen.finish();
      }
      this.canvas.classList.toggle('drawn', places.length === 0);
      if (places.length > 0) this.next = requestAnimationFrame(some);
    };
    this.next = requestAnimationFrame(some);
  }

  paintCell(pen, layer, head, x, y, width, height) {
    const { theme, data } = this.view;
    const color = colorOf(theme, data.layers[layer]);
    const { weights, rows, columns } = this.bins(layer, head);
    const step = (height - 6) / Math.max(rows, columns);
    const middle = index => y + 3 + (index + 0.5) * step;
    const [least, most] = THUMB_THICK.map(thick => Math.min(thick, thick * step / 3)); // lines stay apart
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const weight = weights[row * columns + column];
        if (weight < this.least) continue;
        const [opacity, thick] = [opacityOf(theme, weight, 'small'), widthOf(weight, least, most)];
        pen.line(x + 3, middle(row), x + width - 3, middle(column), color, opacity, thick);
      }
    }
  }

  // A thumbnail's weights, counted once.
  bins(layer, head) {
    const place = `${this.pane} ${layer} ${head}`;
    if (!this.binned.has(place)) this.binned.set(place, binned(this.shown, layer, head));
    return this.binned.get(place);
  }

  // The whole grid, with its numbers.
  svg() {
    const { data, theme } = this.view;
    const tones = TONES[theme];
    const pen = new SvgPen();
    for (const { layer, head, box: [x, y, width, height] } of this.places()) {
      if (layer === 0) pen.text(x + width / 2, y / 2, String(data.heads[head]), 'middle', tones.text);
      if (head === 0) pen.text(x / 2, y + height / 2, String(data.layers[layer]), 'middle', tones.text);
      this.paintCell(pen, layer, head, x, y, width, height);
    }
    return pen.document(...this.size, tones.background);
  }

  // The large head has a menu of its own; this one saves all heads of all layers.
  contents() {
    const { layers, heads } = this.view.data;
    return { pane: this.shown, layers: [...layers.keys()], heads: [...heads.keys()] };
  }

  state() {
    const { data } = this.view;
    return {
      ...super.state(),
      layer: this.detail ? data.layers[this.detail[0]] : undefined,
      head: this.detail ? data.heads[this.detail[1]] : undefined,
      ...(this.detail ? tokenState(this.lines.panel) : {}),
    };
  }

  restore(state) {
    super.restore(state);
    const { data } = this.view;
    const [layer, head] = [indexIn(data.layers, Number(state.layer), -1), indexIn(data.heads, Number(state.head), -1)];
    this.detail = layer >= 0 && head >= 0 ? [layer, head] : null;
    this.render();
    if (this.detail) restoreToken(this.lines.panel, state.token);
  }
}

// A head's weights in at most 24 × 24 bins, each with its largest weight.
function binned(pane, layer, head) {
  const rows = Math.min(THUMB_BINS, pane.left.length);
  const columns = Math.min(THUMB_BINS, pane.right.length);
  const weights = new Float32Array(rows * columns);
  const bin = pane.right.map((_, column) => Math.floor((column * columns) / pane.right.length));
  let at = pane.start(layer, head);
  for (let row = 0; row < pane.left.length; row++, at += pane.stride) {
    const start = Math.floor((row * rows) / pane.left.length) * columns;
    for (let column = 0; column < bin.length; column++) {
      const weight = pane.values[at + column] * pane.unit;
      if (weight > weights[start + bin[column]]) weights[start + bin[column]] = weight;
    }
  }
  return { weights, rows, columns };
}
