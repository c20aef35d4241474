// Chapter 3: the reverser, trained by the reader. The worker has the training; here are its curves, and the
// maps that it has shown.
import { LiveElement, button, digits, element, field, say, shape, style } from './live.js';
import { engine } from './engine.js';
import { AttentionMap } from './maps.js';

const STEPS = 2000; // the recipe's: its learning rate is then 0
const KEPT = 25; // steps from one map that stays to the next
const JUDGED = 100; // steps from one exam to the next: an exam takes as long as some 20 steps
const WANTED = 150; // milliseconds from one answer to the next
const LONGEST = 16;
const END = say('fim', 'end');

const percent = (share, places = 1) => digits(100 * share, places) + say('\u00a0%', '%');
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
const reversed = word => [...word].reverse().join('');

class Reverser extends LiveElement {
  name = 'reverser';
  module = 'live_models';
  title = say('O inversor, treinado aqui', 'The reverser, trained here');
  training = false;
  single = false;
  again = false;
  following = true; // the cursor stays at the newest record

  build() {
    style('reverser.css');
    const change = () => this.changed();
    this.word = field(say('Palavra', 'Word'), { class: 'word', name: 'word', value: 'cabide', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' }, change);
    this.seed = field(say('Semente', 'Seed'), { type: 'number', name: 'seed', min: 0, max: 4294967295, step: 1, value: 42, required: true }, change);
    this.train = button(say('Treinar', 'Train'), () => this.toggle(), { class: 'reverser-train' });
    this.one = button(say('Um passo', 'One step'), () => this.step(), { class: 'reverser-one' });
    this.over = button(say('Recomeçar', 'Start over'), () => this.startOver(), { class: 'reverser-over' });
    this.cursor = field(say('Ver o passo', 'See step'), { type: 'range', name: 'step', min: 0, max: 0, step: 1, value: 0 }, ({ value, max }) => this.see(Number(value), value === max));
    this.place = element('span', { class: 'reverser-place' });
    this.facts = element('p', { class: 'reverser-facts' });
    this.written = element('p', { class: 'reverser-written' });
    this.chart = new Chart(step => this.seeStep(step));
    this.maps = element('div', { class: 'reverser-maps' });
    this.heads = [];
    this.rows = element('tbody');
    this.table = element('details', { ontoggle: () => this.list() },
      element('summary', {}, say('Os números do treino', 'The training’s numbers')),
      element('div', { class: 'live-table', tabindex: 0, role: 'group', 'aria-label': say('Os números do treino', 'The training’s numbers') },
        element('table', { class: 'plain' }, element('thead', {}, element('tr', {}, ...[
          say('passo', 'step'), 'loss', say('palavras novas invertidas', 'held-out strings reversed'), say('palavra', 'word'), say('escrita', 'written'),
        ].map(name => element('th', { scope: 'col' }, name)))), this.rows)));
    this.body.append(
      element('div', { class: 'live-controls' }, this.word.element, this.seed.element),
      element('div', { class: 'live-controls' }, this.train, this.one, this.over),
      this.facts, this.chart.element,
      element('div', { class: 'live-controls reverser-cursor' }, this.cursor.element, this.place),
      this.written,
      element('p', { class: 'reverser-note' }, say(
        'A atenção cruzada de cada head, dada a palavra invertida certa: nas linhas, as letras escritas; nas colunas, as lidas.',
        'The cross-attention of each head, given the right reversed word: the rows are the letters written, the columns those read.')),
      this.maps, this.table);
    this.buttons();
  }

  values() {
    return { word: this.word.input.value, seed: this.seed.input.value };
  }

  restore({ word, seed }) {
    this.word.input.value = word;
    this.seed.input.value = seed;
  }

  request() {
    const word = this.word.input.value.trim().toLowerCase();
    const wrong = this.wrong(word);
    this.word.input.setCustomValidity(wrong);
    if (wrong) return wrong;
    if (!this.seed.input.checkValidity()) return say('A semente não está certa: ', 'The seed is not right: ') + this.seed.input.validationMessage;
    return { word, seed: this.seed.input.valueAsNumber };
  }

  wrong(word) {
    if (word === '') return say('Escreva uma palavra.', 'Write a word.');
    if (!/^[a-z]*$/.test(word)) return say('O inversor só conhece as letras de a a z, sem acento e sem espaço.', 'The reverser only knows the letters a to z, without accents or spaces.');
    if (word.length > LONGEST) return say(`A palavra tem ${word.length} letras; aqui cabem ${LONGEST}.`, `The word has ${word.length} letters; there is room for ${LONGEST}.`);
    return '';
  }

  toggle() {
    if (this.training) this.pause();
    else if (this.able()) this.wish(() => (this.training = true));
  }

  pause() {
    this.training = false;
    this.buttons();
  }

  step() {
    this.training = false;
    if (this.able()) this.wish(() => (this.single = true));
    this.buttons();
  }

  startOver() {
    this.wish(() => {
      this.training = false;
      this.single = false;
      this.again = true;
    });
  }

  reset() {
    this.restore(this.page);
    if (this.run && this.run.seed !== this.seed.input.valueAsNumber) this.startOver();
    this.changed();
  }

  close() {
    this.training = false;
    super.close();
  }

  disconnectedCallback() {
    this.training = false;
    super.disconnectedCallback();
  }

  // Something that the fields must be right for.
  wish(set) {
    if (typeof this.request() !== 'string') {
      set();
      this.following = true;
      this.buttons();
    }
    this.changed({ remember: false });
  }

  // Whether there is a step to make.
  able() {
    return !this.lost && (this.run?.at ?? 0) < STEPS;
  }

  buttons() {
    this.train.textContent = this.training ? say('Pausar', 'Pause') : say('Treinar', 'Train');
    [this.train, this.one].forEach(control => control.setAttribute('aria-disabled', !this.able())); // a disabled one would lose the focus
  }

  // A training is a loop of questions, as long as something is wanted.
  async work() {
    this.working = true;
    try {
      while (this.isConnected && this.wanted()) await this.advance();
      if (this.dataset.state === 'working') this.rest();
    } catch (error) {
      this.training = this.single = false;
      this.next = undefined;
      this.lost = this.run !== undefined && engine(this.module).worker !== this.run.worker;
      if (this.lost && error.what === 'canceled') this.rest();
      else this.fail(error);
    }
    this.working = false;
    this.buttons();
    if (this.run) this.draw();
  }

  wanted() {
    return this.next !== undefined || this.again || (!this.lost && (this.training || this.single || this.due()));
  }

  // Whether the held-out words are to be reversed before another step is made.
  due() {
    return this.run && this.run.at % JUDGED === 0 && this.run.judged.at(-1)?.step !== this.run.at;
  }

  async advance() {
    const told = this.next !== undefined;
    if (told) {
      this.following ||= this.next.word !== this.asked?.word;
      this.asked = this.next;
      this.next = undefined;
      this.dataset.state = 'working';
      this.status.textContent = this.training ? say('Treinando…', 'Training…') : '';
    }
    const fresh = this.again || !this.run || (this.run.at === 0 && this.run.seed !== this.asked.seed);
    if (fresh) await this.begin();
    this.lost = engine(this.module).worker !== this.run.worker;
    if (this.lost) {
      this.training = this.single = false;
    } else {
      await this.ask(this.question(told || fresh));
    }
  }

  async begin() {
    const { seed } = this.asked;
    const patience = setTimeout(() => (this.status.textContent = say('O programa vem…', 'The program is coming…')), 400);
    try {
      await engine(this.module).ask('reverser-new', { seed });
    } finally {
      clearTimeout(patience);
    }
    this.status.textContent = '';
    this.run = { seed, worker: engine(this.module).worker, at: 0, losses: [], judged: [], records: [], pace: 50, trained: 0, spent: 0 };
    this.again = false;
    this.following = true;
    this.rows.replaceChildren();
  }

  // The next question: about the reader's word as things are, about the held-out words, or some steps.
  question(now) {
    const { run, asked: { word } } = this;
    if (now) return { word, steps: 0, judge: false };
    if (this.due()) return { word, steps: 0, judge: true };
    const most = Math.min(KEPT - run.at % KEPT, STEPS - run.at);
    const steps = this.single ? 1 : Math.min(most, Math.max(1, Math.round(WANTED / run.pace)));
    const kept = this.single || steps === most;
    this.single = false;
    return { word, steps, judge: false, kept };
  }

  async ask({ kept, ...question }) {
    const { run, training } = this;
    const start = performance.now();
    const answer = await engine(this.module).ask('reverser-train', question);
    if (question.steps > 0) run.pace += ((performance.now() - start) / question.steps - run.pace) / 3;
    this.show(answer, { ...question, kept });
    if (training) {
      run.trained += question.steps;
      run.spent += performance.now() - start;
    }
  }

  show({ json: { loss, written, exact, shape }, numbers: weights }, { word, kept }) {
    const { run } = this;
    run.at += loss.length;
    run.losses.push(...loss);
    if (exact !== null) run.judged.push({ step: run.at, exact });
    const last = run.records.at(-1);
    const stays = kept || (last?.step === run.at ? last.kept : run.at === 0);
    if (last && (!last.kept || last.step === run.at)) run.records.pop();
    run.records.push({ step: run.at, word, written, weights, shape, kept: stays });
    if (run.at >= STEPS) this.training = false;
    this.draw();
    this.buttons();
  }

  // What is said when nothing is asked for any more.
  rest() {
    const { run, asked } = this;
    this.dataset.state = this.lost ? 'failed' : 'ready';
    if (this.lost) {
      this.status.textContent = say('O programa foi reiniciado, e o treino se perdeu. O que se gravou dele fica, até que se recomece.', 'The program was restarted, and the training is lost. What was recorded of it stays until you start over.');
    } else if (run.at > 0 && run.seed !== asked.seed) {
      this.status.textContent = say(`Este treino é o da semente ${run.seed}. A nova vale quando se recomeça.`, `This training is that of seed ${run.seed}. The new one counts when you start over.`);
    } else if (run.at >= STEPS) {
      this.status.textContent = say(`O treino acabou: ${STEPS} passos.`, `The training is over: ${STEPS} steps.`);
    } else {
      this.status.textContent = run.at > 0 ? say(`Parado no passo ${run.at}.`, `Stopped at step ${run.at}.`) : '';
    }
  }

  see(index, newest) {
    this.following = newest;
    if (this.run) this.draw(index);
  }

  seeStep(step) {
    const records = this.run?.records ?? [];
    if (records.length === 0) return;
    const far = record => Math.abs(record.step - step);
    const index = records.reduce((best, record, i) => (far(record) < far(records[best]) ? i : best), 0);
    this.see(index, index === records.length - 1);
  }

  draw(index = Number(this.cursor.input.value)) {
    const { run } = this;
    const newest = run.records.length - 1;
    if (newest < 0) return;
    const at = this.following ? newest : Math.min(index, newest);
    const record = run.records[at];
    this.cursor.input.max = newest;
    this.cursor.input.value = at;
    this.place.textContent = record.step;
    this.cursor.input.setAttribute('aria-valuetext', `${record.step}${record.step > 0 ? `; loss ${digits(this.loss(record.step), 3)}` : ''}`);
    this.facts.textContent = this.account(record);
    const right = record.written === reversed(record.word);
    this.written.replaceChildren(element('span', { class: 'reverser-pair' }, `${record.word} → ${record.written || '–'}`), ' ',
      element('span', { class: 'reverser-verdict' }, right ? say('(certo)', '(right)') : say('(errado)', '(wrong)')));
    this.chart.show(run, record.step);
    if (record !== this.shown) this.drawMaps(record);
    this.shown = record;
    this.list();
  }

  // The mean loss of the steps up to one.
  loss(step) {
    return mean(this.run.losses.slice(Math.max(0, step - KEPT), step));
  }

  account({ step }) {
    const { run } = this;
    const judged = run.judged.filter(exam => exam.step <= step).at(-1);
    const parts = [say(`Semente ${run.seed}, passo ${step} de ${STEPS}`, `Seed ${run.seed}, step ${step} of ${STEPS}`)];
    if (step > 0) {
      const steps = Math.min(step, KEPT);
      parts.push(`loss ${digits(this.loss(step), 3)}` + (steps > 1 ? say(` (média de ${steps} passos)`, ` (mean of ${steps} steps)`) : ''));
    }
    if (judged) parts.push(say(`palavras novas invertidas: ${percent(judged.exact)}`, `held-out strings reversed: ${percent(judged.exact)}`) + (judged.step === step ? '' : say(` (no passo ${judged.step})`, ` (at step ${judged.step})`)));
    if (this.training && run.trained > 0) {
      const speed = 1000 * run.trained / run.spent;
      const left = Math.ceil((STEPS - run.at) / speed);
      parts.push(say(`${digits(speed, 0)} passos por segundo, faltam ${left} s`, `${digits(speed, 0)} steps a second, ${left} s to go`));
    }
    return parts.join(' · ');
  }

  drawMaps({ word, weights, shape: [heads, rows, columns] }) {
    while (this.heads.length < heads) this.addHead();
    const names = { rows: [...reversed(word), END], columns: [...word, END] };
    this.maps.classList.toggle('long', columns > 12); // too wide to stand side by side
    this.heads.forEach(({ map, share }, head) => {
      const offset = head * rows * columns;
      map.show({ ...names, weights, offset, stride: columns });
      const right = mean([...word].map((_, i) => weights[offset + i * columns + word.length - 1 - i]));
      share.textContent = say(`${digits(right)} da atenção na letra certa`, `${digits(right)} of the attention on the right letter`);
    });
  }

  addHead() {
    const head = this.heads.length;
    const map = new AttentionMap({ label: say(`Mapa da atenção cruzada do head ${head}`, `Map of the cross-attention of head ${head}`) });
    const share = element('span', { class: 'reverser-share' });
    this.heads.push({ map, share });
    this.maps.append(element('div', {}, element('p', { class: 'reverser-head' }, element('strong', {}, `head ${head}`), ': ', share), map.element));
  }

  // The table of what was judged, written only where it is looked at.
  list() {
    if (!this.table.open || !this.run) return;
    const { judged, records } = this.run;
    for (const { step, exact } of judged.slice(this.rows.children.length)) {
      const { word, written } = records.find(record => record.step === step);
      const cells = [step > 0 ? digits(this.loss(step), 3) : '–', percent(exact), word, written].map(text => element('td', {}, text));
      this.rows.append(element('tr', {}, element('th', { scope: 'row' }, String(step)), ...cells));
    }
  }
}

const HEIGHT = 230;
const SIDES = { left: 34, right: 52, top: 26, bottom: 38 };

// The loss and the share of held-out words, over the steps; a touch says which step is meant.
class Chart {
  constructor(onpick) {
    this.element = shape('svg', { class: 'reverser-chart', role: 'img', height: HEIGHT });
    const pick = ({ clientX }) => {
      const box = this.element.getBoundingClientRect();
      onpick((clientX - box.left - SIDES.left) / (box.width - SIDES.left - SIDES.right) * STEPS);
    };
    this.element.addEventListener('pointerdown', event => {
      this.element.setPointerCapture(event.pointerId);
      pick(event);
    });
    this.element.addEventListener('pointermove', event => event.buttons && pick(event));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  show(run, step) {
    this.run = run;
    this.step = step;
    this.draw();
  }

  draw() {
    const width = this.element.clientWidth;
    if (!this.run || width === 0) return;
    const { losses, judged } = this.run;
    const top = losses.some(loss => loss > 5) ? 10 : 5;
    const x = step => (SIDES.left + step / STEPS * (width - SIDES.left - SIDES.right)).toFixed(1);
    const y = share => (HEIGHT - SIDES.bottom - Math.min(1, share) * (HEIGHT - SIDES.top - SIDES.bottom)).toFixed(1);
    const line = points => points.map(([step, share], i) => `${i === 0 ? 'M' : 'L'}${x(step)} ${y(share)}`).join('');
    const means = [];
    for (let end = KEPT; end <= losses.length; end += KEPT) means.push([end, mean(losses.slice(end - KEPT, end)) / top]);
    this.element.replaceChildren(
      ...axes(width, top, x, y),
      shape('path', { class: 'loss every', d: line(losses.map((loss, i) => [i + 1, loss / top])) }),
      shape('path', { class: 'loss', d: line(means) }),
      shape('path', { class: 'exact', d: line(judged.map(({ step, exact }) => [step, exact])) }),
      ...judged.map(({ step, exact }) => shape('circle', { class: 'exact', cx: x(step), cy: y(exact), r: 3 })),
      shape('path', { class: 'cursor', d: `M${x(this.step)} ${y(0)}V${y(1)}` }));
    this.element.setAttribute('aria-label', this.words());
  }

  words() {
    const { at, losses, judged } = this.run;
    const what = say('Curvas do treino ao longo dos passos. ', 'Curves of the training over the steps. ');
    if (at === 0) return what + say('Ainda nenhum passo.', 'No step yet.');
    const [first, last] = [losses[0], losses.at(-1)].map(loss => digits(loss));
    const exact = judged.length > 0 ? percent(judged.at(-1).exact) : '–';
    return what + say(`Loss: ${first} no passo 1, ${last} no passo ${at}. Palavras novas invertidas: ${exact}.`, `Loss: ${first} at step 1, ${last} at step ${at}. Held-out strings reversed: ${exact}.`);
  }
}

function axes(width, top, x, y) {
  const made = [];
  for (let fifth = 0; fifth <= 5; fifth++) {
    const share = fifth / 5;
    const middle = Number(y(share)) + 4;
    made.push(shape('path', { class: 'grid', d: `M${x(0)} ${y(share)}H${x(STEPS)}` }),
      shape('text', { class: 'loss', x: SIDES.left - 6, y: middle, 'text-anchor': 'end' }, share * top),
      shape('text', { class: 'exact', x: width - SIDES.right + 8, y: middle }, percent(share, 0)));
  }
  for (let step = 0; step <= STEPS; step += 500) made.push(shape('text', { x: x(step), y: HEIGHT - 20, 'text-anchor': 'middle' }, step));
  made.push(
    shape('text', { class: 'loss', x: 4, y: 13 }, say('loss (nats por letra)', 'loss (nats per letter)')),
    shape('text', { class: 'exact', x: width - 4, y: 13, 'text-anchor': 'end' }, say('palavras novas invertidas', 'held-out strings reversed')),
    shape('text', { x: x(STEPS / 2), y: HEIGHT - 4, 'text-anchor': 'middle' }, say('passo', 'step')));
  return made;
}

customElements.define('live-reverser', Reverser);
