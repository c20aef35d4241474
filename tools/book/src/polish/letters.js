document.documentElement.classList.add('lettering');
Promise.all(['', 'italic ', 'bold '].map(cut => `${cut}1em "Open Sans"`)
  .concat('1em "Book Mono"', '1em KaTeX_Main', 'italic 1em KaTeX_Math', '1em KaTeX_Size1', '1em KaTeX_Size2')
  .map(font => document.fonts.load(font)))
  .finally(() => document.documentElement.classList.remove('lettering'));
