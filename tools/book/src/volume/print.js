// Colors the code; asked by `#measure`, says what does not fit the width of a page.
(async () => {
  'use strict';

  hljs.configure({ languages: [] });
  document.querySelectorAll('pre code[class*="language-"]')
    .forEach(code => hljs.highlightBlock(code));

  if (location.hash !== '#measure') {
    return;
  }
  await document.fonts.ready;
  const page = document.body.getBoundingClientRect();
  const height = Number.parseFloat(getComputedStyle(document.body).getPropertyValue('--page-height'));
  const faults = [];
  for (const element of document.querySelectorAll('body > * *')) {
    const box = element.getBoundingClientRect();
    const inside = element.parentElement.closest('svg, .katex') !== null;
    const of = `${element.localName} ${element.className} "${element.textContent.slice(0, 60).replaceAll('\n', ' ')}"`;
    if (!inside && box.width > 0 && box.right > page.right + 1) {
      faults.push(`${(box.right - page.right).toFixed()} px: ${of}`);
    }
    if (element.localName === 'figure' && box.height > height) {
      faults.push(`${box.height.toFixed()} px high, a page has ${height}: ${of}`);
    }
  }
  document.body.textContent = `MEASURED\n${faults.join('\n')}\nEND`;
})();
