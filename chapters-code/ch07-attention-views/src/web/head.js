// Head view: all heads of a layer.

class HeadView extends Body {
  constructor(view) {
    super(view);
    const { data, words } = view;
    this.layer = Math.max(0, data.layers.indexOf(data.layer));
    const visible = data.visible ?? data.heads;
    this.on = data.heads.map(head => visible.includes(head));
    this.lines = new LinesView(view);
    this.layerMenu = menu(words.layer, data.layers, index => this.set({ layer: index }));
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

  render() {
    super.render();
    const { data, theme } = this.view;
    this.layerMenu.select.selectedIndex = this.layer;
    this.chips.forEach((chip, index) => {
      chip.setAttribute('aria-pressed', String(this.on[index]));
      chip.style.setProperty('--color', colorOf(theme, data.heads[index]));
    });
    this.lines.show({
      pane: this.shown,
      layer: this.layer,
      heads: this.on.flatMap((on, index) => (on ? [index] : [])),
      least: this.least,
      color: head => colorOf(theme, data.heads[head]),
    });
  }

  state() {
    const { data } = this.view;
    const all = this.on.every(Boolean);
    return {
      layer: data.layers[this.layer],
      heads: all ? 'all' : data.heads.filter((_, index) => this.on[index]).join('.'),
      ...super.state(),
      ...tokenState(this.lines.panel),
    };
  }

  restore(state) {
    super.restore(state);
    const { data } = this.view;
    this.layer = indexIn(data.layers, Number(state.layer), this.layer);
    const wanted = state.heads === 'all' ? data.heads : state.heads?.split('.').map(Number);
    const on = data.heads.map(head => wanted?.includes(head));
    if (on.some(Boolean)) this.on = on;
    this.render();
    restoreToken(this.lines.panel, state.token);
  }
}
