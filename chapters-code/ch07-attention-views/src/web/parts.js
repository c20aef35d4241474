// What the three views are made of: menus, a slider, a table, a state that an address can hold.

// A labeled menu; `change` gets the index chosen.
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

// A table that can be unfolded; `rows()` gives its cells, and is asked only while it is open.
class Table {
  constructor(title, headings, rows) {
    this.rows = rows;
    this.body = element('tbody');
    const heads = headings.map(text => element('th', { scope: 'col' }, text));
    this.element = element('details', { class: 'top', ontoggle: () => this.fill() },
      element('summary', {}, title),
      element('table', {}, element('thead', {}, element('tr', {}, ...heads)), this.body));
  }

  fill() {
    if (!this.element.open) return;
    const cells = row => row.map(text => element('td', {}, String(text)));
    this.body.replaceChildren(...this.rows().map(row => element('tr', {}, ...cells(row))));
  }
}

// A view's inside: what is chosen, by `set`, in the page and in its address.
class Body {
  constructor(view) {
    this.view = view;
    this.pane = 0;
    this.least = 0;
    this.paneMenu = paneMenu(view, pane => this.set({ pane }));
    this.slider = slider(view.words, least => this.set({ least }));
  }

  get shown() {
    return this.view.data.panes[this.pane];
  }

  set(changes) {
    Object.assign(this, changes);
    this.render();
    this.view.remember();
  }

  render() {
    this.paneMenu.select.selectedIndex = this.pane;
    this.slider.set(this.least);
  }

  // What an address says of the view.
  state() {
    return { show: this.shown.filter, least: this.least === 0 ? undefined : tidy(this.least) };
  }

  restore({ show, least }) {
    this.pane = indexIn(this.view.data.panes.map(pane => pane.filter), show, this.pane);
    this.least = Math.min(1, Math.max(0, Number(least) || 0));
  }
}

const indexIn = (list, value, otherwise) => (list.includes(value) ? list.indexOf(value) : otherwise);

// A pinned token, in an address: `left3`.
const tokenState = ({ selection }) =>
  ({ token: selection?.pinned ? `${selection.side}${selection.index}` : undefined });

function restoreToken(panel, text) {
  const found = /^(left|right)(\d+)$/.exec(text ?? '');
  if (found && Number(found[2]) < panel.tokens[found[1]].length) {
    panel.choose(found[1], Number(found[2]), true);
  }
}
