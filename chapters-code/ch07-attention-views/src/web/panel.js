// Two columns of tokens with a drawing between and behind them. It knows which token is chosen, by
// pointer, touch or keyboard, and nothing of what is drawn.
//
// Long texts scroll inside the panel. The canvas is as tall as what is seen and stays in place; the
// drawing moves under it.

const ROW = 24;
const MOST_ROWS = 48; // taller panels scroll

class Panel {
  // `columns(width)` says how wide the columns of tokens are; `paint(pen, box)` draws; `numbers(side,
  // index)` gives the text beside a token while another is chosen; `chosen(pins)` hears that
  // another token is chosen, and whether one was pinned or let go; `pointed(place)`, what is under the
  // pointer. `prefix` tells the ids of two panels of a view apart.
  constructor(words, { columns, paint, numbers, chosen, pointed, prefix = '' }) {
    Object.assign(this, { words, columns, paint, numbers, chosen, pointed, prefix });
    this.selection = null; // { side, index, pinned }
    this.canvas = element('canvas', { 'aria-hidden': 'true' });
    this.lists = { left: this.list('left', words.looking), right: this.list('right', words.lookedAt) };
    this.sheet = element('div', { class: 'sheet' }, this.canvas, this.lists.left, this.lists.right);
    this.element = element('div', { class: 'panel' }, this.sheet);
    this.top = 0; // how far it is scrolled: asked of the element in a frame, it costs a layout
    this.element.addEventListener('scroll', () => {
      this.top = this.element.scrollTop;
      this.draw();
    });
    this.sheet.addEventListener('pointermove', event => this.move(event));
    this.sheet.addEventListener('pointerleave', () => this.leave());
    new ResizeObserver(() => { if (String(this.size()) !== String(this.sized)) this.layout(); }).observe(this.element);
  }

  list(side, label) {
    const list = element('div', {
      class: `tokens ${side}`, role: 'listbox', tabindex: '0', 'aria-label': label,
      onkeydown: event => this.key(event, side),
      onfocus: () => {
        if (this.selection === null && list.matches(':focus-visible')) this.choose(side, this.at[side]);
      },
      onblur: () => { if (this.selection?.pinned === false) this.choose(null); },
      onclick: event => {
        const index = this.tokenAt(event);
        if (index !== null) this.pin(side, index);
      },
    });
    return list;
  }

  show(left, right) {
    this.at = { left: 0, right: 0 };
    this.tokens = { left, right };
    this.spans = {};
    this.numbered = []; // text nodes that hold one
    for (const side of ['left', 'right']) {
      this.spans[side] = this.tokens[side].map((token, index) => {
        const number = document.createTextNode('');
        const text = element('span', { class: 'text', title: token }, token);
        const option = element('div', {
          class: 'token', role: 'option', id: this.id(side, index), 'data-index': index, 'aria-selected': 'false',
        });
        const place = element('span', { class: 'number' }, number);
        option.append(...(side === 'left' ? [place, text] : [text, place]));
        return { option, number };
      });
      this.lists[side].replaceChildren(...this.spans[side].map(span => span.option));
      this.lists[side].setAttribute('aria-activedescendant', this.id(side, 0));
    }
    const rows = Math.max(left.length, right.length);
    this.sheet.style.height = `${rows * ROW}px`;
    this.element.classList.toggle('tall', rows > MOST_ROWS);
    this.selection = null;
    this.layout();
  }

  id(side, index) {
    return `${this.prefix}${side}-${index}`;
  }

  // The token under the pointer, or null: rows are all of one height.
  tokenAt(event) {
    const option = event.target.closest?.('.token');
    return option ? Number(option.dataset.index) : null;
  }

  move(event) {
    if (event.pointerType === 'touch') return;
    const index = this.tokenAt(event);
    if (index === null) {
      if (this.selection && !this.selection.pinned) this.choose(null);
      const box = this.sheet.getBoundingClientRect();
      this.pointed?.({ x: event.clientX - box.left, y: event.clientY - box.top });
      return;
    }
    const side = event.target.closest('.tokens').classList.contains('left') ? 'left' : 'right';
    if (!this.selection?.pinned) {
      this.choose(side, index);
    } else if (side !== this.selection.side) {
      this.pointed?.({ side, index });
    }
  }

  leave() {
    if (this.selection && !this.selection.pinned) this.choose(null);
    this.pointed?.(null);
  }

  pin(side, index) {
    const { selection } = this;
    const same = selection?.pinned && selection.side === side && selection.index === index;
    this.choose(same ? null : side, index, true);
  }

  key(event, side) {
    const last = this.tokens[side].length - 1;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 1);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -last, End: last };
    const other = { ArrowLeft: 'left', ArrowRight: 'right' }[event.key];
    if (event.key in steps) {
      const index = Math.min(last, Math.max(0, this.at[side] + steps[event.key]));
      this.choose(side, index);
      this.reveal(index);
    } else if (other !== undefined) {
      this.at[other] = Math.min(this.tokens[other].length - 1, this.at[side]);
      this.choose(null);
      this.lists[other].focus();
      this.choose(other, this.at[other]);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.pin(side, this.at[side]);
    } else if (event.key === 'Escape' && this.selection !== null) {
      this.choose(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  reveal(index) {
    if (!this.element.classList.contains('tall')) return;
    const { scrollTop, clientHeight } = this.element;
    if (index * ROW < scrollTop) this.element.scrollTop = index * ROW;
    if ((index + 1) * ROW > scrollTop + clientHeight) {
      this.element.scrollTop = (index + 1) * ROW - clientHeight;
    }
  }

  choose(side, index, pinned = false) {
    const before = this.selection;
    const same = before?.side === side && before?.index === index && before?.pinned === pinned;
    if (same || (side === null && before === null)) return;
    if (before) {
      const { option } = this.spans[before.side][before.index];
      option.setAttribute('aria-selected', 'false');
      option.classList.remove('pinned');
    }
    this.selection = side === null ? null : { side, index, pinned };
    if (this.selection) {
      const { option } = this.spans[side][index];
      option.setAttribute('aria-selected', 'true');
      option.classList.toggle('pinned', pinned);
      this.at[side] = index;
      this.lists[side].setAttribute('aria-activedescendant', this.id(side, index));
    }
    this.chosen(pinned || (before?.pinned ?? false));
    this.draw();
  }

  size() {
    return [this.element.clientWidth, this.element.clientHeight, devicePixelRatio];
  }

  layout() {
    this.sized = this.size();
    const width = this.element.clientWidth;
    if (width === 0 || this.tokens === undefined) return;
    const [left, right] = this.columns(width);
    this.box = { width, left, right: width - right, row: ROW };
    this.lists.left.style.width = `${left}px`;
    this.lists.right.style.width = `${right}px`;
    const tall = this.element.classList.contains('tall');
    this.height = tall ? this.element.clientHeight : this.sheet.clientHeight;
    const scale = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * scale, height: this.height * scale });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${this.height}px` });
    this.context = this.canvas.getContext('2d');
    this.scale = scale;
    this.top = this.element.scrollTop;
    this.draw();
  }

  // Draws before the next frame, once, however often it is asked.
  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = undefined;
      this.drawNow();
    });
  }

  drawNow() {
    if (this.context === undefined) return;
    const { context, scale, top } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(scale, 0, 0, scale, 0, -top * scale);
    const pen = new CanvasPen(context);
    this.paint(pen, { ...this.box, top, bottom: top + this.height, selection: this.selection });
    pen.finish();
    this.write(top);
  }

  // The numbers beside the tokens in sight.
  write(top) {
    const numbers = new Map();
    if (this.selection !== null) {
      const side = this.selection.side === 'left' ? 'right' : 'left';
      const spans = this.spans[side];
      const last = Math.min(spans.length, Math.ceil((top + this.height) / ROW));
      for (let index = Math.floor(top / ROW); index < last; index++) {
        numbers.set(spans[index].number, this.numbers(side, index));
      }
    }
    for (const text of this.numbered) if (!numbers.has(text)) text.data = '';
    for (const [text, number] of numbers) if (text.data !== number) text.data = number;
    this.numbered = [...numbers.keys()];
  }

  // The whole drawing, with its tokens, as an SVG.
  svg(tones) {
    const pen = new SvgPen();
    const rows = Math.max(this.tokens.left.length, this.tokens.right.length);
    const { left, right, width } = this.box;
    this.paint(pen, { ...this.box, top: 0, bottom: rows * ROW, selection: this.selection });
    const side = this.selection?.side;
    for (const [name, x, anchor] of [['left', left - 6, 'end'], ['right', right + 6, 'start']]) {
      this.tokens[name].forEach((token, index) => {
        const y = (index + 0.5) * ROW;
        pen.text(x, y, token, anchor, tones.text);
        if (side && side !== name) {
          const end = name === 'left' ? 2 : width - 2;
          pen.text(end, y, this.numbers(name, index), name === 'left' ? 'start' : 'end', tones.faint);
        }
      });
    }
    return pen.document(width, rows * ROW, tones.background);
  }
}
