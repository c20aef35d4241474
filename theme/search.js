// The search of the book: a box under the menu bar, opened with `s` or `/`. What it looks things up
// in is built beside each edition (tools/book/src/search.rs) and loaded when the box is first opened.
//
// A word is found with every word of its stem. An accent that was typed is meant; a letter without one
// stands for all its accents. What is no word of the book stands for those that it begins.
(() => {
  'use strict';

  const SAY = document.documentElement.lang === 'pt-BR' ? {
    open: 'Buscar (`/`)',
    name: 'Abrir ou fechar a busca',
    box: 'Buscar neste livro…',
    help: ['Pressione ', ' ou ', ' para buscar no livro'],
    loading: 'Carregando o índice…',
    failed: 'Não foi possível carregar o índice da busca.',
    more: 'Mostrar mais',
    count: (n, question) => n === 0 ? `Nenhum resultado para “${question}”`
      : `${n} ${n === 1 ? 'resultado' : 'resultados'} para “${question}”`,
  } : {
    open: 'Search (`/`)',
    name: 'Open or close the search',
    box: 'Search this book…',
    help: ['Press ', ' or ', ' to search in the book'],
    loading: 'Loading the index…',
    failed: 'The index of the search could not be loaded.',
    more: 'Show more',
    count: (n, question) => n === 0 ? `No results for “${question}”`
      : `${n} ${n === 1 ? 'result' : 'results'} for “${question}”`,
  };

  const WORD = /[\p{L}\p{M}\p{N}]+/gu; // as in tools/book/src/search/stems.rs
  const STEP = 20; // results shown at a time
  const SNIPPET = 30; // words of a snippet

  const wordsOf = text => (text.normalize('NFC').match(WORD) ?? []).map(word => word.toLowerCase());
  const unaccented = word => word.normalize('NFD').replace(/\p{M}/gu, '');

  // Whether a word begins as it was typed.
  function begins(word, typed) {
    const letters = [...word];
    return [...typed].every((letter, i) =>
      letters[i] === letter || unaccented(letters[i] ?? '') === letter);
  }

  // Pieces of the index: scripts, so that a page opened from a disk has them, too.

  const pieces = new Map();
  const waiting = new Map();
  window.bookSearch = (name, data) => waiting.get(name)?.(data);

  function load(name) {
    if (!pieces.has(name)) {
      pieces.set(name, new Promise((resolve, reject) => {
        waiting.set(name, resolve);
        const script = document.createElement('script');
        script.src = `${path_to_root}search/${encodeURIComponent(name)}.js`;
        script.onerror = () => {
          pieces.delete(name); // the next question tries again
          reject(new Error(`${script.src} does not load`));
        };
        document.head.append(script);
      }));
    }
    return pieces.get(name);
  }

  // What a question means, and where its words stand.

  class Index {
    constructor(data) {
      Object.assign(this, data);
      this.words = new Map(Object.entries(data.words));
      this.unaccented = new Map();
      for (const word of this.words.keys()) {
        const key = unaccented(word);
        this.unaccented.set(key, [...this.unaccented.get(key) ?? [], word]);
      }
      const lengths = this.sections.map(section => section.length);
      this.length = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    }

    // The words of the book that a word of a question means: who asks for “atenção” looks for
    // “autoatenção”, too, which English writes as two words.
    meant(word) {
      const same = typed =>
        this.unaccented.get(unaccented(typed))?.filter(other => begins(other, typed)) ?? [];
      const found = same(word);
      return found.length > 0 ? [...found, ...same(`auto${word}`)] : this.begunBy(word);
    }

    // The words that begin like this one, or like the longest part of it that begins any.
    begunBy(word) {
      const shortest = Math.min(word.length, Math.max(4, word.length - 3));
      for (let end = word.length; end >= Math.max(3, shortest); end--) {
        const found = [...this.words.keys()].filter(other => begins(other, word.slice(0, end)));
        if (found.length > 0) {
          return found;
        }
      }
      return [];
    }

    // The sections that hold all words of a question, best first, and the words found in them.
    find(question) {
      const stems = wordsOf(question)
        .map(word => new Set(this.meant(word).map(other => this.words.get(other))));
      const scores = stems.map(some => this.score(some));
      const sections = [...scores[0]?.keys() ?? []]
        .filter(section => scores.every(score => score.has(section)))
        .map(section => [section, scores.reduce((sum, score) => sum + score.get(section), 0)])
        .sort(([a, x], [b, y]) => y - x || a - b)
        .map(([section]) => section);
      const found = new Set(stems.flatMap(some => [...some]));
      const words = new Set([...this.words].filter(([, stem]) => found.has(stem)).map(([word]) => word));
      return { sections, words };
    }

    // How well each section answers to one word: BM25.
    score(stems) {
      const weights = new Map();
      for (const stem of stems) {
        const places = this.stems[stem];
        for (let i = 0; i < places.length; i += 2) {
          weights.set(places[i], (weights.get(places[i]) ?? 0) + places[i + 1]);
        }
      }
      const rarity = Math.log(1 + (this.sections.length - weights.size + 0.5) / (weights.size + 0.5));
      for (const [section, weight] of weights) {
        const length = this.sections[section].length / this.length;
        weights.set(section, rarity * weight / (weight + 3 * (0.4 + 0.6 * length)));
      }
      return weights;
    }
  }

  // The words of a text that are among some, as [start, end].
  function places(text, words) {
    return [...text.matchAll(WORD)]
      .filter(([word]) => words.has(word.toLowerCase()))
      .map(match => [match.index, match.index + match[0].length]);
  }

  // The part of a text with most of the words, these marked.
  function snippet(text, words) {
    const all = [...text.matchAll(/\S+/gu)];
    const hits = all.map(([part]) => places(part, words).length > 0);
    const count = start => hits.slice(start, start + SNIPPET).filter(Boolean).length;
    let best = 0;
    hits.forEach((hit, i) => {
      const start = Math.max(0, Math.min(i - 6, all.length - SNIPPET));
      best = hit && count(start) > count(best) ? start : best;
    });
    const end = Math.min(best + SNIPPET, all.length);
    const last = all[end - 1];
    const quoted = text.slice(all[best]?.index ?? 0, last ? last.index + last[0].length : 0);
    return [best > 0 ? '… ' : '', ...marked(quoted, words), end < all.length ? ' …' : ''];
  }

  function marked(text, words) {
    const parts = [];
    let free = 0;
    for (const [start, end] of places(text, words)) {
      parts.push(text.slice(free, start), element('mark', {}, text.slice(start, end)));
      free = end;
    }
    return [...parts, text.slice(free)];
  }

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
  }

  // The box, in mdBook's own style.

  const box = element('input', {
    type: 'search', id: 'mdbook-searchbar', placeholder: SAY.box, 'aria-label': SAY.box,
    'aria-controls': 'mdbook-searchresults', autocomplete: 'off', spellcheck: 'false',
  });
  const header = element('div', {
    id: 'mdbook-searchresults-header', class: 'searchresults-header', role: 'status',
  });
  const list = element('ul', { id: 'mdbook-searchresults' });
  const more = element('button', { type: 'button', class: 'search-more', hidden: '' }, SAY.more);
  const form = element('form', { id: 'mdbook-searchbar-outer', class: 'searchbar-outer', role: 'search' },
    element('div', { class: 'search-wrapper' }, box));
  const results = element('div', { class: 'searchresults-outer', hidden: '' }, header, list, more);
  const panel = element('div', { id: 'mdbook-search-wrapper', hidden: '' }, form, results);
  const toggle = element('button', {
    type: 'button', id: 'mdbook-search-toggle', class: 'icon-button', title: SAY.open,
    'aria-label': SAY.name, 'aria-expanded': 'false', 'aria-keyshortcuts': '/ s',
    'aria-controls': 'mdbook-search-wrapper',
  });

  let index = null; // once it is loaded
  let before = null; // what had the focus
  let asked = ''; // the question whose results are shown
  let pause = 0; // the timer that waits for the end of typing

  function open() {
    if (panel.hidden) {
      before = document.activeElement;
      panel.hidden = false;
      toggle.setAttribute('aria-expanded', 'true');
      answer();
    }
    scrollTo(0, 0);
    box.select();
  }

  function close() {
    panel.hidden = true;
    toggle.setAttribute('aria-expanded', 'false');
    (before === document.body ? toggle : before)?.focus({ preventScroll: true });
  }

  // Shows what the box asks for, unless that has changed when the index is there.
  async function answer() {
    const question = box.value.trim();
    asked = question;
    results.hidden = question === '';
    if (index === null) {
      header.textContent = SAY.loading;
    }
    try {
      index ??= new Index(await load('index'));
    } catch {
      if (asked === question) {
        header.textContent = SAY.failed;
      }
      return;
    }
    if (asked === question && question !== '') {
      show(question, index.find(question));
    }
  }

  function show(question, { sections, words }) {
    header.textContent = SAY.count(sections.length, question);
    list.replaceChildren();
    const next = () => {
      const shown = list.children.length;
      list.append(...sections.slice(shown, shown + STEP).map(section => result(section, words)));
      more.hidden = list.children.length === sections.length;
      return list.children[shown];
    };
    more.onclick = () => next()?.querySelector('a').focus();
    next();
  }

  // A result: page › section, which lead there, and what it says.
  function result(number, words) {
    const { page, anchor, title } = index.sections[number];
    const first = index.sections.findIndex(section => section.page === page);
    const link = element('a', {}, index.sections[first].title);
    if (number !== first) {
      link.append(element('span', { class: 'search-arrow' }, ' › '), title);
    }
    const leadTo = marks => {
      const asks = `?highlight=${encodeURIComponent(marks.join(' '))}`;
      link.href = path_to_root + index.pages[page].url + asks + '#' + encodeURIComponent(anchor);
    };
    leadTo([]);
    link.addEventListener('click', rememberQuestion);
    const teaser = element('span', { class: 'teaser' });
    load(index.pages[page].texts).then(texts => {
      const [prose, code] = texts[number - first];
      const quoted = [prose, code].find(text => places(text, words).length > 0) ?? prose;
      teaser.append(...snippet(quoted, words));
      leadTo([...new Set(wordsOf(`${title} ${prose} ${code}`).filter(word => words.has(word)))]);
    }, () => {}); // without its text, a result still leads there
    return element('li', {}, link, teaser);
  }

  // So that the browser's way back leads to the results.
  function rememberQuestion() {
    const address = new URL(location.href);
    address.search = `?search=${encodeURIComponent(asked)}`;
    history.replaceState(null, '', address);
  }

  // Keys: the arrows walk through the results.

  function walk(event) {
    const stops = [box, ...list.querySelectorAll('a'), more].filter(stop => !stop.hidden);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    stops[stops.indexOf(document.activeElement) + step]?.focus();
  }

  function isTyping(event) {
    const target = event.composedPath()[0];
    return target instanceof Element
      && target.matches('input:not([type=checkbox]), select, textarea, [contenteditable]');
  }

  function globalKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) {
      return;
    }
    if (event.key === 'Escape' && !panel.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === 'Escape') {
      highlight([]);
    } else if ((event.key === 's' || event.key === '/') && !isTyping(event)) {
      event.preventDefault();
      open();
    }
  }

  // Marks words of the page, without touching it.
  function highlight(words) {
    if (!('highlights' in CSS)) {
      return;
    }
    const main = document.querySelector('main');
    const wanted = new Set(words);
    const ranges = [];
    const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null && wanted.size > 0; node = walker.nextNode()) {
      if (node.parentElement.closest('svg, script, style, .katex') === null) {
        ranges.push(...places(node.data, wanted).map(([start, end]) =>
          new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end })));
      }
    }
    CSS.highlights.set('search', new Highlight(...ranges));
  }

  function icon() {
    const namespace = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(namespace, 'svg');
    const path = document.createElementNS(namespace, 'path');
    svg.setAttribute('viewBox', '1 1 14 14');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', 'M10.5 6.25a4.25 4.25 0 1 1-8.5 0 4.25 4.25 0 0 1 8.5 0zM9.5 9.5 14 14');
    svg.append(path);
    return svg;
  }

  function addToPage() {
    const bar = document.getElementById('mdbook-menu-bar');
    toggle.append(icon());
    bar.querySelector('.left-buttons').append(toggle);
    bar.after(panel);
    const [press, or, what] = SAY.help;
    const keys = ['S', '/'].map(key => element('kbd', {}, key));
    document.querySelector('#mdbook-help-popup p')
      ?.after(element('p', {}, press, keys[0], or, keys[1], what));
  }

  addToPage();
  toggle.addEventListener('click', () => panel.hidden ? open() : close());
  box.addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(answer, 150); // so that no text is loaded for half a word
  });
  form.addEventListener('submit', async event => {
    event.preventDefault();
    clearTimeout(pause);
    await answer();
    list.querySelector('a')?.click();
  });
  panel.addEventListener('keydown', walk);
  document.addEventListener('keydown', globalKey);
  const asks = new URLSearchParams(location.search);
  if (asks.has('highlight')) {
    highlight(wordsOf(asks.get('highlight')));
  }
  if (asks.has('search')) {
    box.value = asks.get('search');
    open();
  }
})();
