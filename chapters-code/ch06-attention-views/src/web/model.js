// Model view: every head of every layer, small; one at a time large.

const THUMB_BINS = 24; // longer texts: the largest weight of each bin

class ModelView {
  constructor(view) {
    this.view = view;
    const { data, words } = view;
    this.pane = 0;
    this.least = 0;
    this.detail = null; // [layer, head], as places
    this.focus = [0, 0];
    this.paneMenu = paneMenu(view, index => this.set({ pane: index }));
    this.slider = slider(words, least => this.set({ least }));
    this.status = element('p', { class: 'status', role: 'status' }, words.gridHelp);
    this.cells = data.layers.map((layer, row) => data.heads.map((head, column) => this.cell(row, column)));
    const corner = element('span', { class: 'corner' }, `${words.layers} ↓ ${words.heads} →`);
    const columns = data.heads.map(head => element('span', { role: 'columnheader' }, String(head)));
    const rows = data.layers.map((layer, row) => element('div', { role: 'row', class: 'row' },
      element('span', { role: 'rowheader' }, String(layer)), ...this.cells[row]));
    this.grid = element('div', {
      class: 'grid', role: 'grid', 'aria-label': `${words.layers} × ${words.heads}`,
      style: `--heads: ${data.heads.length}`, onkeydown: event => this.key(event),
    }, element('div', { role: 'row', class: 'row' }, corner, ...columns), ...rows);
    this.lines = new LinesView(view);
    this.title = element('h3');
    const close = element('button', { type: 'button', class: 'close', onclick: () => this.open(null) }, words.close);
    this.large = element('section', { class: 'detail', hidden: true, onkeydown: event => this.escape(event) },
      element('div', { class: 'controls' }, this.title, close, saveMenu(view, () => this.lines)),
      this.lines.element);
    this.element = element('div', {},
      element('div', { class: 'controls' }, this.paneMenu.element, this.slider.element),
      element('div', { class: 'model' }, element('div', {}, this.grid, this.status), this.large));
    new ResizeObserver(() => this.drawAll()).observe(this.grid);
  }

  cell(layer, head) {
    const name = this.name(layer, head);
    return element('button', {
      type: 'button', class: 'cell', role: 'gridcell', 'aria-label': name, 'aria-pressed': 'false',
      tabindex: layer === 0 && head === 0 ? 0 : -1,
      onclick: () => this.open(this.isOpen(layer, head) ? null : [layer, head]),
      onpointerenter: () => this.say(layer, head),
      onfocus: () => { this.focus = [layer, head]; this.say(layer, head); },
    }, element('canvas', { 'aria-hidden': 'true' }));
  }

  name(layer, head) {
    const { data, words } = this.view;
    return `${words.layer} ${data.layers[layer]}, ${words.head.toLowerCase()} ${data.heads[head]}`;
  }

  isOpen(layer, head) {
    return this.detail?.[0] === layer && this.detail[1] === head;
  }

  say(layer, head) {
    const pane = this.view.data.panes[this.pane];
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

  set(changes) {
    Object.assign(this, changes);
    this.render();
    this.view.remember();
  }

  render() {
    const { data, theme } = this.view;
    this.paneMenu.select.selectedIndex = this.pane;
    this.slider.set(this.least);
    this.cells.forEach((row, layer) => row.forEach((cell, head) => {
      cell.setAttribute('aria-pressed', String(this.isOpen(layer, head)));
      cell.style.setProperty('--colour', colourOf(theme, data.layers[layer]));
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
    const colour = () => colourOf(theme, data.layers[layer]);
    this.lines.show({ pane: data.panes[this.pane], layer, heads: [head], least: this.least, colour });
  }

  // A layer in each frame, so that the page answers meanwhile.
  drawAll() {
    cancelAnimationFrame(this.next);
    const from = layer => {
      this.next = requestAnimationFrame(() => {
        this.cells[layer].forEach((cell, head) => this.drawCell(cell, layer, head));
        if (layer + 1 < this.cells.length) from(layer + 1);
      });
    };
    from(0);
  }

  drawCell(cell, layer, head) {
    const canvas = cell.firstElementChild;
    const [width, height] = [cell.clientWidth, cell.clientHeight];
    const scale = devicePixelRatio || 1;
    Object.assign(canvas, { width: width * scale, height: height * scale });
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    const pen = new CanvasPen(context);
    const colour = colourOf(this.view.theme, this.view.data.layers[layer]);
    const { weights, rows, columns } = binned(this.view.data.panes[this.pane], layer, head);
    const step = (height - 6) / Math.max(rows, columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const weight = weights[row * columns + column];
        if (weight >= this.least) {
          pen.line(3, 3 + (row + 0.5) * step, width - 3, 3 + (column + 0.5) * step, colour, weight);
        }
      }
    }
    pen.finish();
  }

  state() {
    const { data } = this.view;
    return {
      show: data.panes[this.pane].filter,
      least: this.least === 0 ? undefined : tidy(this.least),
      layer: this.detail ? data.layers[this.detail[0]] : undefined,
      head: this.detail ? data.heads[this.detail[1]] : undefined,
      ...(this.detail ? tokenState(this.lines.panel) : {}),
    };
  }

  restore(state) {
    const { data } = this.view;
    this.pane = indexIn(data.panes.map(pane => pane.filter), state.show, this.pane);
    this.least = fraction(state.least);
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
