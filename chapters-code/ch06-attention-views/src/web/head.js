// Head view: all heads of a layer.

// A labelled menu; `change` gets the index chosen.
function menu(label, names, change) {
  const select = element('select', { onchange: () => change(select.selectedIndex) },
    ...names.map((name, index) => element('option', { value: index }, String(name))));
  return { select, element: element('label', {}, `${label} `, select) };
}

// Weights are small: the slider goes by their square root.
function slider(words, change) {
  const output = element('output');
  const input = element('input', {
    type: 'range', min: 0, max: 1, step: 0.005, value: 0,
    oninput: () => { set(Number(input.value) ** 2); change(value); },
  });
  let value = 0;
  const set = least => {
    value = least;
    output.textContent = digits(least);
    input.setAttribute('aria-valuetext', digits(least));
    if (Math.abs(Number(input.value) ** 2 - least) > 1e-4) input.value = Math.sqrt(least);
  };
  set(0);
  return { set, input, element: element('label', { class: 'slider' }, `${words.minimum} `, input, output) };
}

// The parts of the menu of panes: none for a single sentence.
function paneMenu(view, change) {
  const { words, data: { panes } } = view;
  const made = menu(words.attention, panes.map(pane => words.filters[pane.filter]), change);
  made.element.hidden = panes.length < 2;
  return made;
}

class HeadView {
  constructor(view) {
    this.view = view;
    const { data, words } = view;
    this.layer = Math.max(0, data.layers.indexOf(data.layer));
    this.pane = 0;
    this.least = 0;
    const visible = data.visible ?? data.heads;
    this.on = data.heads.map(head => visible.includes(head));
    this.lines = new LinesView(view);
    this.layerMenu = menu(words.layer, data.layers, index => this.set({ layer: index }));
    this.paneMenu = paneMenu(view, index => this.set({ pane: index }));
    this.slider = slider(words, least => this.set({ least }));
    this.chips = data.heads.map((head, index) => element('button', {
      type: 'button', class: 'chip', title: words.headHelp,
      onclick: event => (event.shiftKey ? this.isolate(index) : this.toggle(index)),
      ondblclick: () => this.isolate(index),
    }, String(head)));
    const everyone = element('button', { type: 'button', class: 'every', onclick: () => this.only(() => true) }, words.all);
    const group = element('div', {
      class: 'chips', role: 'group', 'aria-label': words.heads, onkeydown: event => this.key(event),
    }, element('span', {}, words.heads), ...this.chips, everyone);
    this.element = element('div', {},
      element('div', { class: 'controls' }, this.layerMenu.element, this.paneMenu.element,
        this.slider.element, saveMenu(view, () => this.lines)),
      group, this.lines.element);
  }

  // Along the heads by arrow.
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = this.chips.indexOf(event.target);
    if (step === undefined || at < 0) return;
    this.chips[(at + step + this.chips.length) % this.chips.length].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  // The last head stays on.
  toggle(index) {
    if (this.on[index] && this.on.filter(Boolean).length === 1) return;
    this.on[index] = !this.on[index];
    this.set({});
  }

  // This head alone; if it is alone already, all.
  isolate(index) {
    const alone = this.on[index] && this.on.filter(Boolean).length === 1;
    this.only(other => alone || other === index);
  }

  only(which) {
    this.on = this.on.map((_, index) => which(index));
    this.set({});
  }

  set(changes) {
    Object.assign(this, changes);
    this.render();
    this.view.remember();
  }

  render() {
    const { data, theme } = this.view;
    this.layerMenu.select.selectedIndex = this.layer;
    this.paneMenu.select.selectedIndex = this.pane;
    this.slider.set(this.least);
    this.chips.forEach((chip, index) => {
      chip.setAttribute('aria-pressed', String(this.on[index]));
      chip.style.setProperty('--colour', colourOf(theme, data.heads[index]));
    });
    this.lines.show({
      pane: data.panes[this.pane],
      layer: this.layer,
      heads: this.on.flatMap((on, index) => (on ? [index] : [])),
      least: this.least,
      colour: head => colourOf(theme, data.heads[head]),
    });
  }

  // What an address says of the view.
  state() {
    const { data } = this.view;
    const all = this.on.every(Boolean);
    return {
      layer: data.layers[this.layer],
      heads: all ? 'all' : data.heads.filter((_, index) => this.on[index]).join('.'),
      show: data.panes[this.pane].filter,
      least: this.least === 0 ? undefined : tidy(this.least),
      ...tokenState(this.lines.panel),
    };
  }

  restore(state) {
    const { data } = this.view;
    this.layer = indexIn(data.layers, Number(state.layer), this.layer);
    this.pane = indexIn(data.panes.map(pane => pane.filter), state.show, this.pane);
    this.least = fraction(state.least);
    const wanted = state.heads === 'all' ? data.heads : state.heads?.split('.').map(Number);
    const on = data.heads.map(head => wanted?.includes(head));
    if (on.some(Boolean)) this.on = on;
    this.render();
    restoreToken(this.lines.panel, state.token);
  }
}

const indexIn = (list, value, otherwise) => (list.includes(value) ? list.indexOf(value) : otherwise);
const fraction = text => Math.min(1, Math.max(0, Number(text) || 0));

// A pinned token, in an address: `left3`.
const tokenState = ({ selection }) =>
  ({ token: selection?.pinned ? `${selection.side}${selection.index}` : undefined });

function restoreToken(panel, text) {
  const found = /^(left|right)(\d+)$/.exec(text ?? '');
  if (found && Number(found[2]) < panel.tokens[found[1]].length) {
    panel.choose(found[1], Number(found[2]), true);
  }
}
