// Chapter 5: where bertinho's heads look in the reader's sentence.
import { BertElement, SPECIAL, entry } from './bert-text.js';
import { AttentionMap, HeadGrid } from './maps.js';
import { digits, element, menu, say } from './live.js';

const TEXT = 'O gato sentou no tapete e o cachorro correu.';
const TWELVE = Array.from({ length: 12 }, (_, i) => i);

class BertAttention extends BertElement {
  name = 'bert-attention';
  title = say('Os heads do bertinho, com a sua frase', 'bertinho’s heads, with your sentence');

  build() {
    const look = () => this.pick(this.layer.select.selectedIndex, this.head.select.selectedIndex);
    this.layer = menu(say('Camada', 'Layer'), TWELVE, look);
    this.head = menu('Head', TWELVE, look);
    this.layer.select.name = 'layer';
    this.head.select.name = 'head';
    this.map = new AttentionMap({ label: say('Pesos de atenção', 'Attention weights') });
    this.grid = new HeadGrid({
      label: say('Os mapas de todos os heads: uma linha por camada, uma coluna por head', 'The maps of all heads: a row for each layer, a column for each head'),
      onpick: (layer, head) => this.pick(layer, head),
    });
    this.caption = element('p', { class: 'live-caption' });
    this.shares = element('p', { class: 'live-shares' });
    const all = element('p', { class: 'live-caption' }, say('Todos os heads: camadas nas linhas, heads nas colunas', 'All heads: layers in the rows, heads in the columns'));
    this.body.append(
      ...this.texts(TEXT, '', () => this.changed()),
      element('div', { class: 'live-controls' }, this.layer.element, this.head.element),
      this.shares,
      element('div', { class: 'live-maps' },
        element('div', {}, this.caption, this.map.element),
        element('div', {}, all, this.grid.element)));
  }

  // Another head of the same sentence: nothing is to be asked.
  pick(layer, head) {
    this.layer.select.selectedIndex = layer;
    this.head.select.selectedIndex = head;
    this.remember();
    this.look();
  }

  values() {
    return {
      text: this.text.input.value,
      pair: this.pair.input.value,
      layer: String(this.layer.select.selectedIndex),
      head: String(this.head.select.selectedIndex),
    };
  }

  restore({ text, pair, layer, head }) {
    this.text.input.value = text;
    this.pair.input.value = pair;
    this.layer.select.selectedIndex = entry(this.layer.select, layer);
    this.head.select.selectedIndex = entry(this.head.select, head);
  }

  request() {
    const read = this.read();
    return typeof read === 'string' ? read : { call: 'attentions', model: 'bertinho', request: read };
  }

  show({ json: { tokens, layers, heads }, numbers }) {
    this.found = { tokens, heads, numbers };
    this.grid.show({ layers, heads, size: tokens.length, weights: numbers });
    this.look();
  }

  // Shows the chosen head of what was found.
  look() {
    if (this.found === undefined) return;
    const { tokens, heads, numbers } = this.found;
    const [layer, head] = [this.layer.select.selectedIndex, this.head.select.selectedIndex];
    const offset = (layer * heads + head) * tokens.length ** 2;
    const title = say(`Camada ${layer}, head ${head}`, `Layer ${layer}, head ${head}`);
    this.caption.textContent = title;
    this.map.label = title + say(`: pesos de atenção entre ${tokens.length} tokens; a linha olha, a coluna é olhada`, `: attention weights between ${tokens.length} tokens; the row looks, the column is looked at`);
    this.map.show({ rows: tokens, columns: tokens, weights: numbers, offset });
    this.grid.choose(layer, head);
    this.shares.textContent = sharesOf(tokens, (i, j) => numbers[offset + i * tokens.length + j]);
  }
}

// What a head's ordinary tokens give, in the mean, as chapter 5's `HeadProfile` counts it.
function sharesOf(tokens, weight) {
  const looking = tokens.flatMap((token, i) => (SPECIAL.includes(token) ? [] : [i]));
  if (looking.length === 0) return say('Nenhum token comum olha.', 'No ordinary token looks.');
  const share = counts => {
    let sum = 0;
    for (const i of looking) tokens.forEach((token, j) => { if (counts(token, j - i)) sum += weight(i, j); });
    return digits(sum / looking.length);
  };
  const [cls, sep] = SPECIAL.map(special => share(token => token === special));
  const [itself, previous, next] = [0, -1, 1].map(step => share((_, distance) => distance === step));
  return say(
    `Em média, os tokens comuns dão ${cls} a [CLS], ${sep} a [SEP], ${itself} a si mesmos, ${previous} ao anterior e ${next} ao seguinte.`,
    `On average, the ordinary tokens give ${cls} to [CLS], ${sep} to [SEP], ${itself} to themselves, ${previous} to the previous one and ${next} to the next.`);
}

customElements.define('live-bert-attention', BertAttention);
