// mdBook's interface exists in English only: this says it in the page's language, and puts the link
// to the page's other language in the menu bar.
(() => {
  'use strict';

  const portuguese = document.documentElement.lang === 'pt-BR';

  // Titles, accessible names and placeholders, and the names in the theme menu.
  const PORTUGUESE = new Map([
    ['Keyboard shortcuts', 'Atalhos do teclado'],
    ['Press', 'Pressione'],
    ['or', 'ou'],
    ['to navigate between chapters', 'para mudar de capítulo'],
    ['to show this help', 'para abrir esta ajuda'],
    ['to hide this help', 'para fechar esta ajuda'],
    ['Table of contents', 'Sumário'],
    ['Toggle Table of Contents', 'Abrir ou fechar o sumário'],
    ['Change theme', 'Mudar o tema'],
    ['Themes', 'Temas'],
    ['Auto', 'Automático'],
    ['Light', 'Claro'],
    ['Coal', 'Carvão'],
    ['Navy', 'Marinho'],
    ['Print this book', 'Imprimir este livro'],
    ['Git repository', 'Repositório Git'],
    ['Suggest an edit', 'Sugerir uma mudança'],
    ['Page navigation', 'Navegação entre páginas'],
    ['Previous chapter', 'Capítulo anterior'],
    ['Next chapter', 'Próximo capítulo'],
    ['Copy to clipboard', 'Copiar'],
    ['Copied!', 'Copiado!'],
    ['Clipboard error!', 'Não foi possível copiar'],
    ['Show hidden lines', 'Mostrar as linhas ocultas'],
    ['Hide lines', 'Ocultar as linhas'],
    ['Run this code', 'Executar este código'],
    ['Undo changes', 'Desfazer as mudanças'],
  ]);

  function localizeAttributes(root) {
    for (const name of ['title', 'aria-label', 'placeholder']) {
      for (const element of root.querySelectorAll(`[${name}]`)) {
        const text = PORTUGUESE.get(element.getAttribute(name));
        if (text !== undefined) {
          element.setAttribute(name, text);
        }
      }
    }
  }

  function localizeText(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const english = node.data.trim();
      const text = PORTUGUESE.get(english);
      if (text !== undefined) {
        node.data = node.data.replace(english, text);
      }
    }
  }

  // mdBook's script reads the title of this button to know what to do: it goes on reading and
  // writing English, the page shows Portuguese.
  function localizeHiddenLinesButton(button) {
    let english = button.title;
    const show = () => {
      button.setAttribute('title', PORTUGUESE.get(english) ?? english);
      button.setAttribute('aria-label', PORTUGUESE.get(english) ?? english);
    };
    Object.defineProperty(button, 'title', {
      get: () => english,
      set: value => {
        english = value;
      },
    });
    button.addEventListener('click', show); // after mdBook's own listener
    show();
  }

  // Localizes now what is there, and later what mdBook's scripts write there.
  function follow(element, localize) {
    if (element === null) {
      return;
    }
    localize(element);
    new MutationObserver(() => localize(element)).observe(element, { childList: true });
  }

  function localize() {
    document.querySelectorAll('button[title="Show hidden lines"]')
      .forEach(localizeHiddenLinesButton);
    localizeAttributes(document);
    document.querySelectorAll('#mdbook-help-popup, #mdbook-theme-list').forEach(localizeText);
    document.querySelectorAll('.clip-button .tooltiptext')
      .forEach(tooltip => follow(tooltip, localizeText));
  }

  // Both editions have the same headings, named by their own words: from one to the other, a place on a
  // page is the number of the last heading that a reader has come to (`#h7`).
  const headings = document.querySelectorAll('main :is(h1, h2, h3, h4)[id]');

  function placeInOther() {
    const come = [...headings].filter(it => it.getBoundingClientRect().top < innerHeight / 2);
    return scrollY > 0 && come.length > 0 ? `#h${come.length}` : '';
  }

  function comeFromOther() {
    const heading = headings[/^#h(\d+)$/.exec(location.hash)?.[1] - 1];
    if (heading !== undefined) location.replace(`#${heading.id}`);
  }

  // The link leads to the same page: it comes from the page's own bar.
  function addLanguageLink() {
    const inPage = document.querySelector('.lives a.language');
    const buttons = document.querySelector('#mdbook-menu-bar .right-buttons');
    if (inPage === null || buttons === null) {
      return;
    }
    const link = inPage.cloneNode(true);
    link.title = link.lang === 'en' ? 'This page in English' : 'Esta página em português';
    if (location.pathname.endsWith('/print.html')) { // all pages in one
      link.href = new URL('print.html', inPage.href).href;
    }
    link.classList.add('icon-button'); // mdBook's colors for the menu bar
    ['pointerdown', 'keydown'].forEach(begin => link.addEventListener(begin, () => {
      link.hash = placeInOther();
    }));
    buttons.prepend(link);
  }

  // The button of the table of contents works the box that mdBook's label would.
  function openContents() {
    const box = document.getElementById('mdbook-sidebar-toggle-anchor');
    document.getElementById('mdbook-sidebar-toggle').addEventListener('click', () => box.click());
    // On a telephone they cover the section that a reader has chosen in them.
    document.getElementById('mdbook-sidebar').addEventListener('click', ({ target }) => {
      if (box.checked && document.body.clientWidth < 1080 && target.closest('a[href]')) box.click();
    });
  }

  // Who has chosen a theme has done with the menu.
  function closeThemes() {
    document.getElementById('mdbook-theme-list').addEventListener('click', ({ target }) => {
      if (target.closest('button')) document.getElementById('mdbook-theme-toggle').click();
    });
  }

  // What is wider than its place is scrolled by keyboard, too. It is asked when it is laid out, which can
  // leave its own size as it was, and when a font comes, which may be wider; what has gone far away
  // (`content-visibility`) stays as it was found.
  function reachWide() {
    const label = portuguese ? 'Rola para os lados' : 'Scrolls sideways';
    const kinds = ['pre > code', '.cell-output', '.formula', '.table-wrapper'].map(kind => `main ${kind}`);
    const places = [...document.querySelectorAll(kinds)];
    const laidOut = place => (place.firstElementChild ?? place)
      .checkVisibility?.({ contentVisibilityAuto: true }) ?? true;
    const ask = asked => {
      const here = asked.filter(laidOut);
      const wide = here.map(place => place.scrollWidth > place.clientWidth);
      here.forEach((place, i) => {
        ['role', 'aria-label'].forEach(name => place.removeAttribute(name));
        if (!place.matches('.cell-output')) place.removeAttribute('tabindex'); // the page gave it to all of these
        if (wide[i]) {
          place.tabIndex = 0;
          place.setAttribute('role', 'group');
          place.setAttribute('aria-label', label);
        }
      });
    };
    const sizes = new ResizeObserver(entries => ask(entries.map(entry => entry.target)));
    places.forEach(place => sizes.observe(place));
    document.addEventListener('contentvisibilityautostatechange', ({ target, skipped }) => {
      if (!skipped) ask(places.filter(place => target.contains(place)));
    });
    document.fonts.addEventListener('loadingdone', () => ask(places));
  }

  // Under a figure that can come alive, a button: nothing of it is loaded before a reader asks, by the
  // button or by an address that speaks of it. The element takes the figure's place.
  function offerLive(host) {
    const { live, root, figure, label } = host.dataset;
    const frozen = document.getElementById(figure);
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    const begin = async asked => {
      button.disabled = true;
      try {
        await Promise.all([import(new URL(`${root}${live}.js`, document.baseURI)), style(`${root}live.css`)]);
      } catch {
        button.textContent = `${label} (${portuguese ? 'não veio: tente de novo' : 'did not come: try again'})`;
        button.disabled = false;
        if (asked) button.focus();
        return;
      }
      const element = document.createElement(`live-${live}`);
      element.dataset.state = 'working';
      element.addEventListener('live-close', () => {
        element.remove();
        frozen.removeAttribute('data-replaced');
        button.hidden = false;
        button.disabled = false;
        button.focus();
      });
      frozen.setAttribute('data-replaced', ''); // paper still has it
      button.hidden = true;
      host.append(element);
      if (asked) element.querySelector('.live-title').focus({ preventScroll: true });
      if (asked || location.hash.startsWith(`#live-${live}=`)) element.scrollIntoView({ block: 'nearest' });
    };
    button.addEventListener('click', () => begin(true));
    host.append(button);
    const named = () => button.hidden || !location.hash.includes(`live-${live}=`) || begin(false);
    window.addEventListener('hashchange', named);
    named();
  }

  function style(address) {
    const found = document.querySelector(`link[href="${address}"]`);
    if (found !== null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const link = document.createElement('link');
      const fail = () => {
        link.remove(); // the next try asks again
        reject();
      };
      Object.assign(link, { rel: 'stylesheet', href: address, onload: resolve, onerror: fail });
      document.head.append(link);
    });
  }

  if (portuguese) {
    localize();
  }
  addLanguageLink();
  comeFromOther();
  openContents();
  closeThemes();
  reachWide();
  if (window.WebAssembly && window.Worker) {
    document.querySelectorAll('.live').forEach(offerLive);
  }
})();
