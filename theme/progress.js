// What a reader has done: questions answered and exercises ticked, kept in this browser alone. Both
// editions share it: exercises and questions are known by their place on a page. Where nothing can be
// kept, it lasts as long as the page.
(() => {
  'use strict';

  const KEY = 'attention-in-rust-progress';
  const SAY = document.documentElement.lang === 'pt-BR' ? {
    bar: 'O que você já fez neste capítulo',
    exercises: (done, all) => `${done} de ${all} exercícios`,
    questions: (done, all) => `${done} de ${all} perguntas`,
    solved: number => `Exercício ${number} resolvido`,
    answered: 'respondida',
    finished: 'capítulo completo',
    reset: 'Recomeçar',
    undo: 'Desfazer',
  } : {
    bar: 'What you have done in this chapter',
    exercises: (done, all) => `${done} of ${all} exercises`,
    questions: (done, all) => `${done} of ${all} questions`,
    solved: number => `Exercise ${number} solved`,
    answered: 'answered',
    finished: 'chapter complete',
    reset: 'Start over',
    undo: 'Undo',
  };

  // By page: { exercises: [numbers], questions: [places], all: [exercises, questions] }.
  let kept = {};

  function load() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      kept = found instanceof Object ? found : {};
    } catch {
      // what is kept can't be read: what this page knows stands
    }
  }

  function save() {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // it lasts as long as the page
    }
  }

  const listed = (page, what) => Array.isArray(kept[page]?.[what]) ? kept[page][what] : [];

  function finished(page) {
    const [exercises, questions] = listed(page, 'all');
    return exercises + questions > 0 && listed(page, 'exercises').length >= exercises
      && listed(page, 'questions').length >= questions;
  }

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
  }

  function markSidebar() {
    // Pages, not the headings of the one that is shown.
    for (const link of document.querySelectorAll('#mdbook-sidebar a[href]:not([href*="#"])')) {
      const page = new URL(link.href).pathname.split('/').pop().replace(/\.html$/, '');
      link.querySelector('.finished')?.remove();
      if (finished(page)) {
        link.append(element('span', { class: 'finished', role: 'img', 'aria-label': SAY.finished }, ' ✓'));
      }
    }
  }

  // The bar and the marks of a chapter's page; gives what shows them anew.
  function setUp(bar) {
    const { page } = bar.dataset;
    const exercises = [...document.querySelectorAll('main h3')]
      .map(heading => [heading, Number(/^(\d+)\. /.exec(heading.textContent)?.[1])])
      .filter(([, number]) => number > 0);
    const questions = [...document.querySelectorAll('main .question')];
    const all = [exercises.length, questions.length];
    let undone = null; // what a reset took away

    const done = (what, one, is) => {
      load(); // another tab may have kept more
      const others = listed(page, what).filter(other => other !== one);
      kept[page] = { ...kept[page], all, [what]: is ? [...others, one] : others };
      undone = null;
      save();
      show();
    };

    const boxes = exercises.map(([heading, number]) => {
      const box = element('input', { type: 'checkbox' });
      box.addEventListener('change', () => done('exercises', number, box.checked));
      heading.after(element('p', { class: 'exercise-done' }, element('label', {}, box, ` ${SAY.solved(number)}`)));
      return [number, box];
    });
    questions.forEach((question, place) => {
      question.addEventListener('toggle', event => {
        if (event.target.open && !listed(page, 'questions').includes(place)) {
          done('questions', place, true);
        }
      }, true);
    });

    const meter = element('progress', { max: all[0] + all[1], 'aria-label': SAY.bar });
    const text = element('span', {});
    const button = element('button', { type: 'button' });
    button.addEventListener('click', () => {
      load();
      [kept[page], undone] = undone === null ? [{ all }, kept[page]] : [undone, null];
      save();
      show();
    });
    bar.append(meter, text, button);
    bar.hidden = false;

    function show() {
      const [solved, answered] = ['exercises', 'questions'].map(what => listed(page, what));
      boxes.forEach(([number, box]) => { box.checked = solved.includes(number); });
      questions.forEach((question, place) => {
        const title = question.querySelector('.question-title');
        title.querySelector('.answered')?.remove();
        if (answered.includes(place)) {
          title.append(element('span', { class: 'answered' }, ` ✓ ${SAY.answered}`));
        }
      });
      meter.value = solved.length + answered.length;
      text.textContent = [[SAY.exercises, solved, all[0]], [SAY.questions, answered, all[1]]]
        .filter(([, , count]) => count > 0)
        .map(([say, list, count]) => say(list.length, count)).join(', ');
      button.textContent = undone === null ? SAY.reset : SAY.undo;
      button.hidden = undone === null && meter.value === 0;
      markSidebar();
    }
    return show;
  }

  load();
  const bars = document.querySelectorAll('main .progress');
  const show = bars.length === 1 ? setUp(bars[0]) : markSidebar;
  if (bars.length > 1) {
    bars.forEach(bar => bar.remove()); // all pages in one, to print
  }
  const refresh = () => {
    load();
    show();
  };
  addEventListener('storage', refresh); // another tab
  addEventListener('load', refresh); // what the page before kept at its very end may come late
  addEventListener('pageshow', event => event.persisted && refresh());
  show();
})();
