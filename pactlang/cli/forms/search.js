'use strict';
const search = document.getElementById('search'), found = document.getElementById('found');
const cards = [...document.querySelectorAll('[data-item]')].map(card => [card, card.textContent.toLowerCase()]);
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const [card, text] of cards) {
    card.hidden = !words.every(word => text.includes(word));
    shown += !card.hidden;
  }
  for (const group of document.querySelectorAll('[data-group]'))
    group.hidden = words.length > 0 && !group.querySelector('[data-item]:not([hidden])');
  found.textContent = words.length ? shown + ' of ' + cards.length + ' shown' : '';
}
search.addEventListener('input', filter);
for (const link of document.querySelectorAll('[data-clause]'))
  link.addEventListener('click', () => { search.value = ''; filter(); });
