// Chapter 2: several heads on the reader's words, with masks, the wrong reshape and a norm.
import { LiveElement, button, clamp, digits, element, field, menu, numbers, say, style } from './live.js';

const WORDS = 'o gato sentou no tapete';
const MOST_WORDS = 12;
const LONGEST = 200;
const HEADS = [1, 2, 4];
const D_MODEL = 16;
const tidy = rows => rows.map(row => row.map(value => Math.round(value * 1e4) / 1e4 || 0)); // no -0.0000

class MultiHead extends LiveElement {
  name = 'multi-head';
  module = 'live_ndarray';
  title = say('Vários heads, com as suas palavras', 'Several heads, with your words');
  words = [];
  padding = new Set();
  masked = new Set(); // 'query-key'
  row = 2; // which word's looks are told, where there are as many

  build() {
    style('multi-head.css');
    const change = () => this.changed();
    this.sentence = field(say('Palavras', 'Words'), { value: WORDS, maxlength: LONGEST, name: 'words', autocomplete: 'off', spellcheck: 'false' }, () => {
      this.read();
      this.changed();
    });
    this.sentence.element.classList.add('whole');
    this.seed = field(say('Semente', 'Seed'), { type: 'number', min: 0, max: 4294967295, step: 1, value: 42, required: true, name: 'seed' }, change);
    this.heads = menu('Heads', HEADS, change);
    this.heads.select.name = 'heads';
    this.wrong = field(say('reshape direto (errado de propósito)', 'a reshape alone (wrong on purpose)'), { type: 'checkbox', name: 'wrong' }, change);
    this.causal = field(say('máscara causal', 'causal mask'), { type: 'checkbox', name: 'causal' }, change);
    this.chips = element('div', { class: 'live-chips', role: 'group', 'aria-label': say('Palavras que são padding', 'Words that are padding') });
    this.mask = element('div', { onkeydown: event => this.walk(event) });
    this.looker = menu(say('Quem olha', 'Who looks'), [], row => {
      this.row = row;
      this.look();
      this.remember();
    });
    this.looker.select.name = 'row';
    this.most = element('ul', { class: 'live-most' });
    this.note = element('p', { class: 'live-note' });
    this.maps = element('div', { class: 'live-heads' });
    this.norm = element('div');
    this.body.append(
      this.sentence.element,
      element('div', { class: 'live-controls' }, this.seed.element, this.heads.element, this.wrong.element),
      element('p', { class: 'live-note' }, say(
        'Os vetores das palavras e os pesos são sorteados, como na página: com outras palavras mudam os nomes, e com mais ou menos palavras muda o sorteio.',
        'The words’ vectors and the weights are drawn, as on the page: other words change the names, more or fewer words change the draw.')),
      element('details', {}, element('summary', {}, say('Máscara e padding (a próxima seção)', 'Mask and padding (the next section)')),
        element('div', { class: 'live-controls' }, this.causal.element),
        element('div', { class: 'live-controls' }, element('span', {}, say('Padding: um clique numa palavra a esconde de todas', 'Padding: a click on a word hides it from all')), this.chips),
        this.mask),
      this.note, this.maps,
      element('div', { class: 'live-controls' }, this.looker.element), this.most,
      element('details', {}, element('summary', {}, say('A saída, e o que a LayerNorm faz dela (mais adiante no capítulo)', 'The output, and what LayerNorm makes of it (later in the chapter)')), this.norm));
    this.fill('4');
  }

  fill(heads) {
    const index = HEADS.indexOf(Number(heads));
    this.heads.select.selectedIndex = index < 0 ? HEADS.length - 1 : index;
    this.read();
    this.looker.select.selectedIndex = Math.min(this.row, this.words.length - 1);
  }

  typed() {
    return this.sentence.input.value.split(/\s+/).filter(word => word !== '');
  }

  // The sentence as typed; what is no sentence leaves the last one.
  read() {
    const words = this.typed();
    if (words.length === 0 || words.length > MOST_WORDS || words.join(' ') === this.words.join(' ')) return;
    this.words = words;
    const within = place => place.split('-').every(i => Number(i) < words.length);
    this.masked = new Set([...this.masked].filter(within));
    this.padding = new Set([...this.padding].filter(i => i < words.length));
    const { select } = this.looker;
    select.replaceChildren(...words.map(word => element('option', {}, word)));
    select.selectedIndex = Math.min(this.row, words.length - 1);
    this.chips.replaceChildren(...words.map((word, i) => button(word, () => this.pad(i))));
    this.mark();
    this.drawMask();
  }

  mark() {
    [...this.chips.children].forEach((chip, i) => chip.setAttribute('aria-pressed', this.padding.has(i)));
  }

  pad(i) {
    if (!this.padding.delete(i)) this.padding.add(i);
    this.mark();
    this.changed();
  }

  // A button for each cell of the mask, of which the Tab key finds one and the arrows the others.
  drawMask() {
    const { words } = this;
    const cell = (query, key) => button('0', () => this.hide(query, key), {
      tabindex: query + key === 0 ? 0 : -1, 'data-place': `${query}-${key}`,
      'aria-label': say(`esconder “${words[key]}” de “${words[query]}”`, `hide “${words[key]}” from “${words[query]}”`),
    });
    const caption = say('A máscara: 0 deixa ver, −∞ esconde. A linha olha, a coluna é olhada; um clique, ou as setas e o espaço, muda uma célula', 'The mask: 0 lets see, −∞ hides. The row looks, the column is looked at; a click, or the arrows and the space bar, changes a cell');
    const head = element('tr', {}, element('td'), ...words.map(word => element('th', { scope: 'col' }, word)));
    const rows = words.map((word, query) => element('tr', {}, element('th', { scope: 'row' }, word),
      ...words.map((_, key) => element('td', {}, cell(query, key)))));
    this.mask.replaceChildren(element('p', { class: 'live-note' }, caption), element('div', { class: 'live-table' },
      element('table', { class: 'live-mask', 'aria-label': say('A máscara', 'The mask') }, element('thead', {}, head), element('tbody', {}, ...rows))));
  }

  cell(query, key) {
    return this.mask.querySelector(`[data-place="${query}-${key}"]`);
  }

  hide(query, key) {
    const place = `${query}-${key}`;
    const cell = this.cell(query, key);
    this.reach(cell);
    if (!this.masked.delete(place)) {
      if (cell.getAttribute('aria-pressed') === 'true') {
        this.status.textContent = say('Esta célula já está escondida, pela máscara causal ou pelo padding.', 'This cell is already hidden, by the causal mask or by the padding.');
        return;
      }
      this.masked.add(place);
    }
    this.changed();
  }

  reach(cell) {
    this.mask.querySelector('[tabindex="0"]').tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  }

  walk(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const place = event.target.dataset.place?.split('-').map(Number);
    if (!step || !place) return;
    event.preventDefault();
    const next = this.cell(place[0] + step[0], place[1] + step[1]);
    if (next) this.reach(next);
  }

  values() {
    return {
      words: this.sentence.input.value,
      seed: this.seed.input.value,
      heads: String(HEADS[this.heads.select.selectedIndex]),
      wrong: String(this.wrong.input.checked),
      causal: String(this.causal.input.checked),
      padding: [...this.padding].sort((a, b) => a - b).join('.'),
      hidden: [...this.masked].sort().join('.'),
      row: String(this.looker.select.selectedIndex),
    };
  }

  restore({ words, seed, heads, wrong, causal, padding, hidden, row }) {
    this.sentence.input.value = words.slice(0, LONGEST);
    this.seed.input.value = seed;
    this.wrong.input.checked = wrong === 'true';
    this.causal.input.checked = causal === 'true';
    this.row = /^\d{1,2}$/.test(row) ? Number(row) : 0;
    this.fill(heads);
    const parts = (text, shape) => text.split('.').filter(part => shape.test(part) && part.split('-').every(i => Number(i) < this.words.length));
    this.padding = new Set(parts(padding, /^\d+$/).map(Number));
    this.masked = new Set(parts(hidden, /^(0|[1-9]\d*)-(0|[1-9]\d*)$/));
    this.mark();
    if (this.causal.input.checked || this.padding.size + this.masked.size > 0) this.mask.closest('details').open = true;
  }

  request() {
    const count = this.typed().length;
    if (count === 0) return say('Escreva ao menos uma palavra.', 'Write at least one word.');
    if (count > MOST_WORDS) return say(`São ${count} palavras: aqui cabem ${MOST_WORDS}.`, `There are ${count} words: ${MOST_WORDS} fit here.`);
    if (!this.seed.input.checkValidity()) return say('A semente não está certa: ', 'The seed is not right: ') + this.seed.input.validationMessage;
    return {
      call: 'multi-head',
      words: this.words,
      request: {
        seed: this.seed.input.valueAsNumber,
        heads: HEADS[this.heads.select.selectedIndex],
        wrong: this.wrong.input.checked,
        causal: this.causal.input.checked,
        padding: this.words.map((_, i) => this.padding.has(i)),
        hidden: [...this.masked].map(place => place.split('-').map(Number)),
      },
    };
  }

  show({ json: found }, { words, request: { heads, wrong } }) {
    this.found = { ...found, words, wrong: wrong && heads > 1, width: D_MODEL / heads };
    found.mask.forEach((row, query) => row.forEach((value, key) => {
      const cell = this.cell(query, key);
      if (!cell) return; // of a sentence that is no more
      cell.textContent = value === null ? '−∞' : String(value);
      cell.setAttribute('aria-pressed', value === null);
    }));
    this.maps.replaceChildren(...found.weights.map((map, head) => {
      const names = words.map((_, i) => this.piece(head, i));
      return numbers(this.caption(head), names, names, map, { heat: [0, 1] });
    }));
    this.note.textContent = this.found.wrong ? this.warning() : say('Pesos de atenção: a linha olha, a coluna é olhada.', 'Attention weights: the row looks, the column is looked at.');
    this.look();
    this.showNorm();
  }

  // What is wrong about the wrong reshape.
  warning() {
    const { words: [word], width, mask } = this.found;
    const masked = mask.flat().includes(null) ? say(' A máscara, que fala de palavras, esconde pedaços.', ' The mask, which is about words, hides pieces.') : '';
    return say(`O formato é o mesmo, e nenhum erro aparece. Mas sem a transposição as linhas e as colunas de cada mapa não são as palavras: são pedaços de ${width} números de poucas delas (“${word} 0–${width - 1}” são as colunas 0 a ${width - 1} de “${word}”).`,
      `The shape is the same, and no error appears. But without the transposition the rows and the columns of each map are not the words: they are pieces of ${width} numbers of a few of them (“${word} 0–${width - 1}” is columns 0 to ${width - 1} of “${word}”).`) + masked;
  }

  // What a row of a head is: a word's columns, and which if not the head's own.
  piece(head, i) {
    const { words, wrong, width, piece_words, piece_columns } = this.found;
    const word = words[piece_words[head][i]];
    const first = piece_columns[head][i];
    return wrong ? `${word} ${first}–${first + width - 1}` : word;
  }

  caption(head) {
    const { words, wrong, width, piece_words, piece_columns } = this.found;
    if (wrong) {
      const names = [...new Set(piece_words[head])].map(i => `“${words[i]}”`).join(', ');
      return say(`head ${head}: pedaços de ${names}`, `head ${head}: pieces of ${names}`);
    }
    const first = piece_columns[head][0];
    return say(`head ${head}: colunas ${first} a ${first + width - 1}`, `head ${head}: columns ${first} to ${first + width - 1}`);
  }

  // Where the chosen word looks most, in each head.
  look() {
    if (!this.found) return;
    const row = clamp(this.looker.select.selectedIndex, 0, this.found.words.length - 1);
    this.most.replaceChildren(...this.found.weights.map((map, head) => {
      const most = map[row].indexOf(Math.max(...map[row]));
      const [from, to] = [this.piece(head, row), this.piece(head, most)];
      const said = map[row][most] === 0
        ? say(`“${from}” não olha para ninguém`, `“${from}” looks at nobody`)
        : say(`“${from}” olha mais para “${to}”, ${digits(map[row][most], 4)}`, `“${from}” looks most at “${to}”, ${digits(map[row][most], 4)}`);
      return element('li', {}, `head ${head}: ${said}`);
    }));
    this.maps.querySelectorAll('tbody').forEach(body => [...body.children].forEach((tr, i) => tr.classList.toggle('chosen', i === row)));
  }

  showNorm() {
    const { words, before, after, output, normalized } = this.found;
    const columns = Array.from({ length: D_MODEL }, (_, i) => String(i));
    const moments = tidy(before.map(({ mean, variance }, i) => [mean, variance, after[i].mean, after[i].variance]));
    const names = [say('média', 'mean'), say('variância', 'variance'), say('média depois', 'mean after'), say('variância depois', 'variance after')];
    const title = say('Cada linha da saída, antes e depois da LayerNorm', 'Each row of the output, before and after LayerNorm');
    this.norm.replaceChildren(
      numbers(title, words, names, moments, { places: 4 }),
      numbers(say('Saída', 'Output'), words, columns, tidy(output), { places: 4 }),
      numbers(say('Depois da LayerNorm', 'After LayerNorm'), words, columns, tidy(normalized), { places: 4 }));
  }
}

customElements.define('live-multi-head', MultiHead);
