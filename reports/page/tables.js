// Tools above a table: a filter of its rows and a choice of its columns.
(() => {
  'use strict';

  // On a phone some columns stand aside until a reader asks for them (page.css: .aside).
  const narrow = window.matchMedia('(max-width: 600px)');

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  // Every word has to stand in the row's words (its label, method, sharing ...); "-word" must not.
  function matches(row, words) {
    const text = [...row.cells].filter((cell) => cell.classList.contains('l'))
      .map((cell) => cell.textContent.toLowerCase()).join(' ');
    return words.every((word) => word.startsWith('-') && word.length > 1 ? !text.includes(word.slice(1)) : text.includes(word));
  }

  function row_filter(table) {
    const input = element('input', {type: 'search', placeholder: 'mmap joint -groups', size: 18});
    const said = element('output', {className: 'said'});
    input.addEventListener('input', () => {
      const words = input.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
      const rows = [...table.tBodies[0].rows];
      rows.forEach((row) => { row.hidden = !matches(row, words); });
      const shown = rows.filter((row) => !row.hidden).length;
      said.textContent = shown === rows.length ? '' : `${shown} of ${rows.length} rows`;
    });
    return [element('label', {}, 'Rows ', input), said];
  }

  function column_chooser(table) {
    const boxes = [];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (column === 0) return;
      const box = element('input', {type: 'checkbox'}), aside = head.classList.contains('aside');
      let wanted = null;  // what the reader chose; null: as the screen allows
      const apply = () => {
        box.checked = wanted === null ? !(aside && narrow.matches) : wanted;
        for (const row of table.rows) {
          row.cells[column].hidden = wanted === false;
          row.cells[column].toggleAttribute('data-wanted', wanted === true);
        }
      };
      box.addEventListener('change', () => { wanted = box.checked; apply(); });
      narrow.addEventListener('change', apply);
      apply();
      boxes.push(element('label', {}, box, ' ' + head.textContent));
    });
    return element('details', {className: 'columns'}, element('summary', {textContent: 'Columns'}),
      element('div', {}, ...boxes));
  }

  for (const place of document.querySelectorAll('.tools')) {
    const table = place.nextElementSibling.querySelector('table');
    place.append(...row_filter(table), column_chooser(table));
  }
})();
