// Chapter 1: self-attention on the reader's words.
import { LiveElement, button, digits, element, field, numbers, say, wrongField } from './live.js';

const WORDS = ['pense', 'sobre', 'máquinas'];
const EMBEDDINGS = [[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 1]];
const MOST_WORDS = 12;
const WIDEST = 64;

class SelfAttention extends LiveElement {
  name = 'self-attention';
  module = 'live_ndarray';
  title = say('Autoatenção, com as suas palavras', 'Self-attention, with your words');

  build() {
    this.rows = element('tbody');
    const heads = ['1', '2', '3', '4'].map(number => element('th', { scope: 'col' }, number));
    const table = element('table', { class: 'plain inputs' },
      element('caption', {}, say('Palavras e embeddings', 'Words and embeddings')),
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, say('palavra', 'word')), ...heads, element('td'))), this.rows);
    this.more = button(say('Mais uma palavra', 'One more word'), () => this.add());
    const shuffle = button(say('Embaralhar', 'Shuffle'), () => this.shuffle(), { class: 'live-shuffle' });
    const change = () => this.changed();
    this.seed = field(say('Semente', 'Seed'), { type: 'number', min: 0, max: 4294967295, step: 1, value: 42, required: true, name: 'seed' }, change);
    this.width = field('d_k', { type: 'number', min: 1, max: WIDEST, step: 1, value: 3, required: true, name: 'd_k' }, change);
    this.warmth = element('output');
    this.temperature = field(say('Temperatura', 'Temperature'), { type: 'range', min: -2, max: 2, step: 0.05, value: 0, name: 'temperature' }, () => this.warm());
    this.temperature.element.append(this.warmth);
    this.weights = element('div');
    this.steps = element('div', { class: 'live-steps' });
    this.body.append(
      element('div', { class: 'live-controls' }, this.seed.element, this.width.element, this.temperature.element),
      element('div', { class: 'live-table', tabindex: 0, role: 'group', 'aria-label': say('Palavras e embeddings', 'Words and embeddings') }, table),
      element('div', { class: 'live-controls' }, this.more, shuffle),
      this.weights,
      element('details', {}, element('summary', {}, say('Todas as matrizes', 'All the matrices')), this.steps));
    this.fill(WORDS, EMBEDDINGS);
    this.warm(false);
  }

  fill(words, embeddings) {
    this.rows.replaceChildren(...words.map((word, i) => this.row(word, embeddings[i])));
    this.more.disabled = words.length >= MOST_WORDS;
  }

  row(word, embedding) {
    const change = () => this.changed();
    const name = element('input', { class: 'word', value: word, required: true, maxlength: 30, 'aria-label': say('palavra', 'word'), oninput: change });
    const cells = embedding.map((value, i) => element('td', {}, element('input', {
      type: 'number', step: 'any', value: value ?? '', required: true, 'aria-label': say(`dimensão ${i + 1}`, `dimension ${i + 1}`), oninput: change,
    })));
    const row = element('tr', {}, element('td', {}, name), ...cells,
      element('td', {}, button('×', () => this.take(row), { 'aria-label': say('Tirar esta palavra', 'Remove this word'), class: 'live-remove' })));
    return row;
  }

  add() {
    const values = Array.from({ length: 4 }, () => Math.round(Math.random()));
    this.rows.append(this.row(say('nova', 'new'), values));
    this.more.disabled = this.rows.children.length >= MOST_WORDS;
    this.rows.lastElementChild.querySelector('input').select();
    this.changed();
  }

  take(row) {
    if (this.rows.children.length === 1) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    next.querySelector('button').focus();
    this.more.disabled = false;
    this.changed();
  }

  shuffle() {
    const rows = [...this.rows.children];
    for (let i = rows.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [rows[i], rows[j]] = [rows[j], rows[i]];
    }
    this.rows.replaceChildren(...rows);
    this.changed();
  }

  warm(ask = true) {
    this.warmth.textContent = digits(this.heat());
    this.temperature.input.setAttribute('aria-valuetext', digits(this.heat()));
    if (ask) this.changed();
  }

  // From 1/100 to 100, by the power of ten.
  heat() {
    return 10 ** Number(this.temperature.input.value);
  }

  inputs() {
    return [...this.rows.children].map(row => [...row.querySelectorAll('input')]);
  }

  values() {
    return {
      seed: this.seed.input.value,
      dk: this.width.input.value,
      temperature: this.temperature.input.value,
      words: JSON.stringify(this.inputs().map(([word]) => word.value)),
      embeddings: JSON.stringify(this.inputs().map(([, ...numbers]) => numbers.map(input => input.valueAsNumber))),
    };
  }

  restore({ seed, dk, temperature, words, embeddings }) {
    this.seed.input.value = seed;
    this.width.input.value = dk;
    this.temperature.input.value = temperature;
    try {
      const [names, rows] = [JSON.parse(words), JSON.parse(embeddings)];
      const fits = row => Array.isArray(row) && row.length === 4 && row.every(value => value === null || typeof value === 'number'); // null: a field left empty
      if (names.length > 0 && names.length <= MOST_WORDS && rows.length === names.length && rows.every(fits)) {
        this.fill(names.map(name => String(name).slice(0, 30)), rows);
      }
    } catch {
      // not an address of ours: the words stay
    }
    this.warm(false);
  }

  request() {
    const wrong = [...this.body.querySelectorAll('input')].find(input => !input.checkValidity());
    if (wrong) {
      const name = wrong.closest('label')?.firstElementChild.textContent ?? wrong.getAttribute('aria-label');
      return wrongField(name, wrong);
    }
    const embeddings = this.inputs().map(([, ...numbers]) => numbers.map(input => input.valueAsNumber));
    const words = this.inputs().map(([word]) => word.value);
    return {
      call: 'self-attention',
      words,
      request: { embeddings, seed: this.seed.input.valueAsNumber, d_k: this.width.input.valueAsNumber, temperature: this.heat() },
    };
  }

  show({ json: found }, { words }) {
    this.found = found;
    const title = say('Pesos de atenção: a linha olha, a coluna é olhada', 'Attention weights: the row looks, the column is looked at');
    this.weights.replaceChildren(numbers(title, words, words, found.weights, { heat: [0, 1] }));
    const inputs = ['1', '2', '3', '4'];
    const table = (title, rows, name, columns) => numbers(title, rows, columns, found[name], { places: 4 });
    this.steps.replaceChildren(
      table('W_query', inputs, 'w_query'), table('W_key', inputs, 'w_key'), table('W_value', inputs, 'w_value'),
      table('Q = X · W_query', words, 'q'), table('K = X · W_key', words, 'k'), table('V = X · W_value', words, 'v'),
      table('scores = Q · Kᵀ / √d_k', words, 'scores', words), table('output = weights · V', words, 'output'));
  }
}

customElements.define('live-self-attention', SelfAttention);
