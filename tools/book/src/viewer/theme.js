let theme = null;
try {
  theme = localStorage.getItem('mdbook-theme');
} catch { /* no storage, no choice */ }
theme ??= matchMedia('(prefers-color-scheme: dark)').matches ? 'navy' : 'light';
const dark = ['navy', 'coal', 'ayu'].includes(theme);
document.documentElement.classList.add(theme, 'js');
document.getElementById('light').media = dark ? 'not all' : 'all';
document.getElementById('dark').media = dark ? 'all' : 'not all';
