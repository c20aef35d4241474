// Chapter 7: what bertinho guesses for a hidden token of the reader's sentence, without some of its heads.
import { BertElement, SPECIAL } from './bert-text.js';
import { HeadGrid } from './maps.js';
import { button, digits, element, refill, say, style } from './live.js';

const TEXT = 'O gato dormiu na cama.';
const PAIR = 'The cat slept on the bed.';
const PLACE = 2; // gato
const WIDEST = 36; // of a cell: the guesses stay in sight beside the heads
const EACH = 12; // bertinho's layers, and heads of each

style('ablation.css');

const name = ([layer, head]) => `${layer}·${head}`;
const holds = (heads, head) => heads.some(other => name(other) === name(head));

// The heads that an address names: `1.11-2.9`.
const headsOf = text => [...text.matchAll(/(?:^|-)(\d{1,2})\.(\d{1,2})(?=-|$)/g)]
  .map(([, layer, head]) => [Number(layer), Number(head)])
  .filter(head => head.every(number => number < EACH));

// A cell for each head, in the color of what its absence changes; those that are taken out are crossed out.
class Heads extends HeadGrid {
  removed = [];

  layout(width) {
    super.layout(width);
    this.wide = this.high = Math.min(this.wide, WIDEST);
  }

  paint(context) {
    super.paint(context);
    context.lineCap = 'round';
    for (const [row, column] of this.removed) {
      const [x, y, side] = [this.left + column * this.wide, this.top + row * this.high, this.wide];
      for (const [width, color] of [[5, '#000'], [2.5, '#fff']]) {
        context.lineWidth = width;
        context.strokeStyle = color;
        context.beginPath();
        for (const [from, to] of [[0.27, 0.73], [0.73, 0.27]]) {
          context.moveTo(x + from * side, y + 0.27 * side);
          context.lineTo(x + to * side, y + 0.73 * side);
        }
        context.stroke();
      }
    }
  }
}

class AblationElement extends BertElement {
  name = 'ablation';
  title = say('Um token escondido, e heads a menos', 'A hidden token, and fewer heads');
  longest = 300; // the text is read again without each of the heads

  build() {
    style('maps.css');
    this.tokens = element('div', { class: 'ablation-tokens', role: 'group', 'aria-label': say('O token escondido', 'The hidden token') });
    this.guesses = element('div', { class: 'ablation-guesses', 'aria-live': 'polite' });
    this.taken = element('span', { class: 'ablation-taken' });
    this.back = button(say('Devolver todos', 'Put all back'), () => this.take([]), { class: 'ablation-back' });
    this.most = element('p', { class: 'live-caption' });
    this.grid = new Heads({
      label: say('Quanto o palpite muda sem cada head: uma linha por camada, uma coluna por head', 'How much the guess changes without each head: a row for each layer, a column for each head'),
      hint: say('Um clique, ou as setas e Enter, tira um head ou o devolve.', 'A click, or the arrows and Enter, takes a head out or puts it back.'),
      onpick: (layer, head) => this.toggle(layer, head),
    });
    this.grid.words = (layer, head) => this.tell(layer, head);
    this.body.append(
      ...this.texts(TEXT, PAIR, () => this.changed()),
      element('p', { class: 'live-caption' }, say('Esconda um token com um clique:', 'Hide a token with a click:')),
      this.tokens,
      element('div', { class: 'live-maps' },
        this.guesses,
        element('div', {},
          this.most, this.grid.element,
          element('div', { class: 'live-controls' }, this.taken, this.back))));
    this.removed = [];
    this.place = PLACE;
    this.take([], { ask: false });
  }

  values() {
    return {
      text: this.text.input.value,
      pair: this.pair.input.value,
      place: String(this.place),
      removed: this.removed.map(head => head.join('.')).join('-'),
    };
  }

  restore({ text, pair, place, removed }) {
    this.text.input.value = text;
    this.pair.input.value = pair;
    this.place = /^\d{1,3}$/.test(place) ? Number(place) : PLACE;
    this.take(headsOf(removed), { ask: false });
  }

  // The heads that are taken out, in the model's order.
  take(heads, { ask = true } = {}) {
    this.removed = heads.filter((head, i) => !holds(heads.slice(0, i), head)).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.grid.removed = this.removed;
    this.taken.textContent = this.out();
    this.back.disabled = this.removed.length === 0;
    this.grid.draw();
    this.grid.say();
    if (ask) this.changed();
  }

  out() {
    return this.removed.length === 0
      ? say('Nenhum head foi tirado.', 'No head has been taken out.')
      : say('Sem ', 'Without ') + this.removed.map(name).join(', ');
  }

  toggle(layer, head) {
    const picked = [layer, head];
    this.take(holds(this.removed, picked) ? this.removed.filter(other => name(other) !== name(picked)) : [...this.removed, picked]);
  }

  hide(place) {
    this.place = place;
    this.changed();
  }

  // What the guesses depend on, but for the heads.
  asked() {
    return JSON.stringify([this.text.input.value, this.pair.input.value, this.place]);
  }

  // First the guesses; then, which takes longer, those without each head.
  request() {
    const read = this.read();
    if (typeof read === 'string') {
      this.unmeasured();
      return read;
    }
    const asked = this.asked();
    const removed = this.removed.map(([layer, head]) => ({ layer, head }));
    const told = this.guessed === asked && this.answered === JSON.stringify(removed); // else the guesses first
    const each = told && this.measured !== asked;
    return { call: 'ablation', model: 'bertinho', asked, each, request: { ...read, place: this.place, removed, each } };
  }

  show({ json: found, numbers }, { asked, each, request: { removed } }) {
    this.answered = JSON.stringify(removed);
    const changedMeanwhile = this.asked() !== asked;
    if (!changedMeanwhile) this.place = found.place;
    this.found = found;
    this.looks = numbers.subarray(0, found.layers * found.heads * found.tokens.length);
    this.guessed = changedMeanwhile ? asked : this.asked();
    if (each) {
      this.measured = this.guessed;
      this.changes = numbers.subarray(this.looks.length);
    } else if (this.measured !== this.guessed) {
      this.changes = undefined;
    }
    this.showTokens();
    this.showGuesses();
    this.showHeads();
    if (this.measured !== this.guessed && this.next === undefined) this.changed({ remember: false });
  }

  fail(error) {
    super.fail(error);
    this.unmeasured();
  }

  // Nothing more comes for the heads, of which it was said that they are being measured.
  unmeasured() {
    if (this.changes === undefined) this.most.textContent = say('Sem cada head, um de cada vez: não medido.', 'Without each head, one at a time: not measured.');
  }

  showTokens() {
    const { tokens, place } = this.found;
    refill(this.tokens, tokens.map((token, i) => (SPECIAL.includes(token)
      ? element('code', {}, token)
      : button(token, () => this.hide(i), { 'aria-pressed': String(i === place) }))));
  }

  showGuesses() {
    const { whole, without, change } = this.found;
    this.guesses.replaceChildren( // always as high: the heads below stay where they are
      this.list(say('O modelo inteiro', 'The whole model'), whole),
      this.list(say('Sem os heads tirados', 'Without the heads taken out'), without),
      element('p', { class: 'live-shares' }, say(
        `De um para o outro, o palpite muda ${digits(change, 3)}: 0 é o mesmo palpite, 1 um outro de todo.`,
        `From the one to the other, the guess changes by ${digits(change, 3)}: 0 is the same guess, 1 another one altogether.`)));
    const first = ([{ piece, probability }]) => `${piece} ${digits(probability, 3)}`;
    this.taken.textContent = this.out() + (this.removed.length === 0 ? '' : `: ${first(whole)} → ${first(without)}`);
  }

  list(title, guesses) {
    const { piece: first } = this.found.whole[0];
    const line = ({ piece, probability }) => {
      const bar = element('span', { class: 'ablation-bar', 'aria-hidden': 'true' });
      bar.style.width = `${100 * probability}%`;
      const track = element('span', { class: 'ablation-track' }, bar);
      return element('li', { class: piece === first ? 'first' : '' }, element('code', {}, piece), track, element('span', {}, digits(probability, 3)));
    };
    return element('div', {}, element('p', { class: 'live-caption' }, title), element('ol', { 'aria-label': title }, ...guesses.map(line)));
  }

  showHeads() {
    const { layers, heads } = this.found;
    const most = this.changes ? Math.max(...this.changes) : undefined;
    this.most.textContent = most === undefined
      ? say('Sem cada head, um de cada vez: medindo…', 'Without each head, one at a time: measuring…')
      : say(`Quanto o palpite muda sem cada head, um de cada vez: de 0, roxo escuro, a ${digits(most, 3)}, amarelo. Camadas nas linhas, heads nas colunas.`,
        `How much the guess changes without each head, one at a time: from 0, dark purple, to ${digits(most, 3)}, yellow. Layers in the rows, heads in the columns.`);
    const share = i => (this.changes ? this.changes[i] / most : NaN);
    this.grid.show({ layers, heads, size: 1, weights: Array.from({ length: layers * heads }, (_, i) => share(i)) });
  }

  // A head in words: what its absence changes, and where it looks from the hidden token.
  tell(layer, head) {
    if (this.found === undefined) return '';
    const { tokens, heads } = this.found;
    const at = layer * heads + head;
    const row = this.looks.subarray(at * tokens.length, (at + 1) * tokens.length);
    const most = row.indexOf(Math.max(...row));
    const out = holds(this.removed, [layer, head]);
    const change = this.changes ? digits(this.changes[at], 3) : '…';
    const token = most === this.found.place ? '[MASK]' : tokens[most];
    return say(
      `${name([layer, head])}${out ? ', tirado' : ''}: sem ele, o palpite muda ${change}. De [MASK], ele olha mais para ${token} (${digits(row[most], 3)}).`,
      `${name([layer, head])}${out ? ', taken out' : ''}: without it, the guess changes by ${change}. From [MASK], it looks most at ${token} (${digits(row[most], 3)}).`);
  }
}

customElements.define('live-ablation', AblationElement);
