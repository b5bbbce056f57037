// The page in a browser: sorts tables, draws charts as they come into view, and shows a chosen run.
(() => {
  'use strict';

  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const studies = read('studies');
  const predictions = read('predictions');
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  let printing = false;

  // ---------------------------------------------------------------------------- tables

  // What a cell sorts by: its first number, or its text. Empty cells come last either way.
  function key_of(cell, textual) {
    const text = cell.textContent.trim();
    if (text === '' || text === '–') return null;
    if (textual) return text.toLowerCase();
    const value = parseFloat(text.replace(/[,<\s]/g, '').replace('−', '-'));
    return Number.isNaN(value) ? null : value;
  }

  function sort_by(table, column) {
    const heads = [...table.tHead.rows[0].cells], head = heads[column];
    const textual = head.classList.contains('l');
    const up = head.getAttribute('aria-sort') === (textual ? null : 'descending') ||
      (textual && head.getAttribute('aria-sort') === 'descending');
    heads.forEach((each) => each.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const rows = [...table.tBodies[0].rows].map((row) => ({row, key: key_of(row.cells[column], textual)}));
    rows.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
      const order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      return up ? order : -order;
    });
    table.tBodies[0].append(...rows.map((each) => each.row));
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('th button');
    if (button) sort_by(button.closest('table'), button.parentElement.cellIndex);
  });

  // ---------------------------------------------------------------------------- charts

  const drawn = new Map();  // element of a chart -> its ECharts instance

  function view_of(figure, width) {
    const task = figure.querySelector('[data-choose="task"]');
    return {
      width, dark: dark.matches && !printing, row: figure.dataset.row, run: figure.run,
      task: task ? Number(task.value) : undefined
    };
  }

  function draw(figure) {
    const place = figure.querySelector('.chart');
    if ('run' in figure.dataset && !figure.run) return;
    // A sheet of A4 between its margins; the layout of the screen is still in force when this is asked.
    const width = printing ? 700 : place.clientWidth;
    if (width < 50) return;
    const chart = petlabCharts.draw[figure.dataset.chart](studies[figure.dataset.study], view_of(figure, width));
    drawn.get(place)?.dispose();
    place.style.height = chart.height + 'px';
    const canvas = echarts.init(place, null, {renderer: 'svg', width, height: chart.height});
    canvas.setOption(chart.option);
    drawn.set(place, canvas);
    place.dataset.drawn = width;
    figure.classList.toggle('tall', chart.height > 900);
    let note = figure.querySelector('.legend');
    if (chart.note && !note) {
      note = document.createElement('p');
      note.className = 'legend';
      figure.append(note);
    }
    if (note) note.textContent = chart.note || '';
  }

  const figures = [...document.querySelectorAll('figure[data-chart]')];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, {rootMargin: '400px'});

  function redraw(all) {
    for (const figure of figures) {
      if (all || drawn.has(figure.querySelector('.chart'))) draw(figure);
    }
  }

  let waiting = 0;
  window.addEventListener('resize', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const [place] of drawn) {
        if (Number(place.dataset.drawn) !== place.clientWidth) draw(place.closest('figure'));
      }
    }, 150);
  });
  dark.addEventListener('change', () => redraw(false));
  // Notes and facts, which are folded on the screen, belong to what is printed.
  let unfolded = [];
  window.addEventListener('beforeprint', () => {
    printing = true;
    unfolded = [...document.querySelectorAll('details.printed:not([open])')];
    unfolded.forEach((each) => { each.open = true; });
    redraw(true);
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    unfolded.forEach((each) => { each.open = false; });
    redraw(true);
  });
  document.addEventListener('change', (event) => {
    if (event.target.dataset.choose === 'task') draw(event.target.closest('figure'));
  });

  // ---------------------------------------------------------------------------- one run in detail

  function unpacked(text, bytes) {
    const raw = atob(text), values = [];
    for (let i = 0; i < raw.length; i += bytes) {
      values.push(raw.charCodeAt(i) + (bytes === 2 ? 256 * raw.charCodeAt(i + 1) : 0));
    }
    return values;
  }

  // Right answers, images and confusions of a run over one task, or over all that share their classes.
  function counts_of(data, run, only) {
    const split = data.splits[run.split];
    const tasks = split.tasks.map((task, index) => ({...task, index})).filter((task) => only < 0 || task.index === only);
    const classes = data.classes[tasks[0].classes];
    const right = classes.map(() => 0), total = classes.map(() => 0), cells = new Map();
    for (const task of tasks) {
      const labels = unpacked(task.labels, data.bytes), answers = unpacked(run.answers[task.index], data.bytes);
      labels.forEach((truth, i) => {
        total[truth] += 1;
        if (truth === answers[i]) right[truth] += 1;
        const key = truth * classes.length + answers[i];
        cells.set(key, (cells.get(key) || 0) + 1);
      });
    }
    return {
      classes, right, total,
      cells: [...cells].map(([key, n]) => [Math.floor(key / classes.length), key % classes.length, n])
    };
  }

  function add_cell(row, tag, text, left) {
    const cell = document.createElement(tag);
    cell.textContent = text;
    if (left) cell.className = 'l';
    row.append(cell);
  }

  function confusion_table(run) {
    const wrong = run.cells.filter(([truth, answer]) => truth !== answer)
      .sort((a, b) => b[2] - a[2] || b[2] / run.total[b[0]] - a[2] / run.total[a[0]] || a[0] - b[0]).slice(0, 12);
    const table = document.createElement('table');
    const head = table.createTHead().insertRow(), body = table.createTBody();
    [['true class', true], ['answered', true], ['images', false], ['of the class', false]]
      .forEach(([text, left]) => add_cell(head, 'th', text, left));
    for (const [truth, answer, n] of wrong) {
      const row = body.insertRow();
      add_cell(row, 'td', run.classes[truth], true);
      add_cell(row, 'td', run.classes[answer], true);
      add_cell(row, 'td', n);
      add_cell(row, 'td', run.total[truth]);
    }
    return table;
  }

  function show_run(detail) {
    const data = predictions[detail.dataset.study];
    const run = data.runs[Number(detail.querySelector('[data-choose="run"]').value)];
    const only = Number(detail.querySelector('[data-choose="domain"]').value);
    const counts = counts_of(data, run, only);
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    const right = sum(counts.right), total = sum(counts.total);
    detail.querySelector('[data-say="run"]').textContent =
      `${run.row}, seed ${run.seed}: ${right} of ${total} test images right (${(100 * right / total).toFixed(2)} %). ${data.note}`;
    detail.querySelector('[data-fill="confusions"]').replaceChildren(confusion_table(counts));
    for (const figure of detail.querySelectorAll('figure')) {
      figure.run = counts;
      if (drawn.has(figure.querySelector('.chart'))) draw(figure);
    }
  }

  function add_option(select, value, text, parent) {
    const option = document.createElement('option');
    option.value = value;
    option.textContent = text;
    (parent || select).append(option);
  }

  // The choosers of a study: runs by row, domains of the run's split; the best row stands first chosen.
  function fill(detail) {
    const index = detail.dataset.study, data = predictions[index], rows = studies[index].rows;
    const runs = detail.querySelector('[data-choose="run"]'), domains = detail.querySelector('[data-choose="domain"]');
    if (data.runs.length === 0) {
      detail.textContent = 'The store holds no predictions of this study.';
      return;
    }
    let group = null, best = 0, highest = -1;
    data.runs.forEach((run, i) => {
      if (!group || group.label !== run.row) {
        group = document.createElement('optgroup');
        group.label = run.row;
        runs.append(group);
        const row = rows.find((each) => each.label === run.row);
        if (row && row.mean && row.mean.mean > highest) [highest, best] = [row.mean.mean, i];
      }
      add_option(runs, i, `${run.row}, seed ${run.seed}`, group);
    });
    runs.value = String(best);
    const tasks = data.splits[data.runs[best].split].tasks;
    if (tasks.every((task) => task.classes === tasks[0].classes)) add_option(domains, -1, 'all domains');
    tasks.forEach((task, i) => add_option(domains, i, task.task));
    detail.addEventListener('change', () => show_run(detail));
    show_run(detail);
  }

  document.querySelectorAll('.detail').forEach(fill);
  figures.forEach((figure) => { if (figure.isConnected) seen.observe(figure); });
})();
