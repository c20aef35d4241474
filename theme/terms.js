// The explanation of a glossary's word, beside it: where the pointer rests, where the keyboard's focus
// is, and at the first tap (the second follows the link). Escape closes it. Without this script the
// word is a link to the section that explains it.
(() => {
  'use strict';

  const terms = document.querySelectorAll('a.term');
  if (terms.length === 0) {
    return;
  }

  const card = document.createElement('div');
  card.className = 'term-card';
  card.id = 'term-card';
  card.hidden = true;
  card.setAttribute('aria-hidden', 'true'); // screen readers have it as the link's description
  document.querySelector('main').append(card);

  const MARGIN = 8;
  const PATIENCE = 250; // milliseconds in which the pointer may cross from the word to the card
  let shown = null;
  let leaving = 0;

  function place(term) {
    const word = term.getClientRects()[0] ?? term.getBoundingClientRect();
    const around = card.offsetParent.getBoundingClientRect();
    const room = document.documentElement.clientWidth - card.offsetWidth - MARGIN;
    const left = Math.max(MARGIN, Math.min(word.left, room));
    const below = word.bottom + card.offsetHeight + MARGIN < window.innerHeight;
    const top = below ? word.bottom + 4 : word.top - card.offsetHeight - 4;
    card.style.left = `${left - around.left}px`;
    card.style.top = `${top - around.top}px`;
  }

  function show(term) {
    clearTimeout(leaving);
    if (shown === term) {
      return;
    }
    const text = document.getElementById(term.getAttribute('aria-describedby'));
    const link = document.createElement('a');
    link.href = term.href;
    link.tabIndex = -1; // the word itself leads there
    link.textContent = text.parentElement.dataset.taught;
    const explanation = document.createElement('p');
    explanation.append(...text.cloneNode(true).childNodes);
    card.replaceChildren(explanation, link);
    card.hidden = false;
    shown = term;
    place(term);
  }

  function hide() {
    clearTimeout(leaving);
    card.hidden = true;
    shown = null;
  }

  function leave() {
    clearTimeout(leaving);
    leaving = setTimeout(hide, PATIENCE);
  }

  for (const term of terms) {
    let touched = false;
    term.addEventListener('pointerdown', event => {
      touched = event.pointerType === 'touch' && shown !== term;
    });
    term.addEventListener('click', event => {
      if (touched) {
        event.preventDefault();
        show(term);
      }
      touched = false;
    });
    term.addEventListener('pointerenter', event => {
      if (event.pointerType !== 'touch') {
        show(term);
      }
    });
    term.addEventListener('pointerleave', event => {
      if (event.pointerType !== 'touch') {
        leave();
      }
    });
    term.addEventListener('focus', () => {
      if (term.matches(':focus-visible')) {
        show(term);
      }
    });
    term.addEventListener('blur', leave);
  }

  card.addEventListener('pointerenter', () => clearTimeout(leaving));
  card.addEventListener('pointerleave', leave);
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && shown !== null) {
      hide();
    }
  });
  document.addEventListener('pointerdown', event => {
    if (shown !== null && !shown.contains(event.target) && !card.contains(event.target)) {
      hide();
    }
  });
})();
