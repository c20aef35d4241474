// Labels in the page's language.
const WORDS = {
  pt: {
    layer: 'Camada', head: 'Head', heads: 'Heads', layers: 'Camadas', attention: 'Atenção',
    minimum: 'Peso mínimo', all: 'Todos', expand: 'Ver q e k', collapse: 'Ver linhas',
    close: 'Fechar', save: 'Salvar', top: 'Maiores pesos', from: 'de', to: 'para', weight: 'peso',
    looking: 'Tokens que olham', lookedAt: 'Tokens olhados', loading: 'Abrindo…',
    query: 'query q', key: 'key k', product: 'q × k', score: 'q·k / √d', softmax: 'softmax',
    copy: 'Copiar JSON', json: 'Baixar JSON', csv: 'Baixar CSV', svg: 'Baixar SVG',
    png: 'Baixar PNG', link: 'Copiar endereço', copied: 'Copiado.', saved: 'Salvo',
    refused: 'O navegador não deixou copiar.',
    filters: {
      all: 'Tudo', aa: 'A → A', bb: 'B → B', ab: 'A → B', ba: 'B → A',
      encoder: 'Encoder', decoder: 'Decoder', cross: 'Atenção cruzada',
    },
    help: 'Passe o ponteiro sobre um token, ou use as setas; um clique o fixa, Esc o solta.',
    headHelp: 'Clique liga ou desliga; duplo clique (ou Shift+Enter) isola, ou volta a todos.',
    gridHelp: 'Escolha um head para vê-lo grande.',
    strongest: (shown, all, least) =>
      `Desenhadas as ${shown} linhas mais fortes de ${all} (peso a partir de ${least}).`,
    mean: count => `média de ${count} heads`,
    rounded: 'Pesos arredondados a 1/65535 para o arquivo caber.',
    failed: 'Não foi possível abrir esta vista',
    darkest: number => `cor cheia = ${number}`,
    hidden: 'vem depois: escondido',
    tooMany: 'Números demais para um arquivo: abra um head, e salve-o.',
    views: { head: 'Atenção, por head', model: 'Atenção, todos os heads', neuron: 'Atenção, um head por dentro' },
  },
  en: {
    layer: 'Layer', head: 'Head', heads: 'Heads', layers: 'Layers', attention: 'Attention',
    minimum: 'Least weight', all: 'All', expand: 'Show q and k', collapse: 'Show lines',
    close: 'Close', save: 'Save', top: 'Largest weights', from: 'from', to: 'to', weight: 'weight',
    looking: 'Tokens that look', lookedAt: 'Tokens looked at', loading: 'Opening…',
    query: 'query q', key: 'key k', product: 'q × k', score: 'q·k / √d', softmax: 'softmax',
    copy: 'Copy JSON', json: 'Download JSON', csv: 'Download CSV', svg: 'Download SVG',
    png: 'Download PNG', link: 'Copy address', copied: 'Copied.', saved: 'Saved',
    refused: 'The browser did not let the text be copied.',
    filters: {
      all: 'All', aa: 'A → A', bb: 'B → B', ab: 'A → B', ba: 'B → A',
      encoder: 'Encoder', decoder: 'Decoder', cross: 'Cross-attention',
    },
    help: 'Point at a token, or use the arrow keys; a click pins it, Esc lets it go.',
    headHelp: 'Click turns on or off; double click (or Shift+Enter) isolates, or brings all back.',
    gridHelp: 'Choose a head to see it large.',
    strongest: (shown, all, least) =>
      `The strongest ${shown} of ${all} lines are drawn (weights from ${least}).`,
    mean: count => `mean of ${count} heads`,
    rounded: 'Weights are rounded to 1/65535, to keep the file small.',
    failed: 'This view could not be opened',
    darkest: number => `full color = ${number}`,
    hidden: 'comes later: hidden',
    tooMany: 'Too many numbers for a file: open a head, and save that.',
    views: { head: 'Attention, by head', model: 'Attention, all heads', neuron: 'Attention, inside a head' },
  },
};

// The words for a view in the page: its own language, the page's, or the browser's.
function wordsFor(host, language) {
  const code = language ?? host.closest('[lang]')?.lang ?? navigator.language ?? 'en';
  return WORDS[code.toLowerCase().startsWith('pt') ? 'pt' : 'en'];
}

// ANCHOR: element
// An element with attributes, listeners (`onclick: f`) and children.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      made.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...children);
  return made;
}
// ANCHOR_END: element

const digits = (number, count = 3) => number.toFixed(count).replace('-', '−');
