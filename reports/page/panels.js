// Charts of many small panels: learning curves, affinity matrices, accuracy of the classes; and the
// confusion matrix.
(function (charts) {
  'use strict';

  // Where n panels of about `wanted` pixels stand in a chart of this width.
  function tiles(n, width, wanted, height, gap) {
    var columns = Math.max(1, Math.min(n, Math.floor((width + gap) / (wanted + gap))));
    var wide = (width - gap * (columns - 1)) / columns, found = [];
    for (var i = 0; i < n; ++i) {
      found.push({x: (i % columns) * (wide + gap), y: Math.floor(i / columns) * height, width: wide, column: i % columns});
    }
    return {panels: found, columns: columns, height: Math.ceil(n / columns) * height};
  }

  function title(text, x, y, width, view) {
    return {text: text, left: x, top: y, padding: 0,
      textStyle: {color: charts.colours(view).ink, fontSize: 11, fontWeight: 600, width: width, overflow: 'truncate'}};
  }

  // ---------------------------------------------------------------------------- learning curves

  function curves_of(study) {
    return study.rows.filter(function (row) {
      return row.seeds.some(function (seed) { return seed.warmUp.length + seed.train.length > 0; });
    });
  }

  charts.draw.learning_curves = function (study, view) {
    var c = charts.colours(view), rows = curves_of(study), all = [], longest = 1;
    rows.forEach(function (row) {
      row.seeds.forEach(function (seed) {
        all = all.concat(seed.warmUp, seed.train);
        longest = Math.max(longest, seed.warmUp.length + seed.train.length);
      });
    });
    all = all.filter(function (value) { return value !== null && isFinite(value); });
    var high = Math.max.apply(null, all), low = Math.min.apply(null, all);
    var log = low > 0 && high / low > 12;
    var bottom = log ? Math.pow(10, Math.floor(Math.log(low) / Math.LN10)) : 0;
    var steps = charts.ticks(0, high, 3), step = steps[1] - steps[0];
    var top = log ? Math.pow(10, Math.ceil(Math.log(high) / Math.LN10)) : step * Math.ceil(high / step - 1e-9);
    var panel = 138, layout = tiles(rows.length, view.width - 54, view.width < 600 ? 120 : 180, panel, 26);
    var option = charts.frame(view);
    option.title = [];
    option.grid = [];
    option.xAxis = [];
    option.yAxis = [];
    option.series = [];
    option.tooltip.trigger = 'axis';
    option.tooltip.axisPointer = {type: 'line', lineStyle: {color: c.soft}};
    rows.forEach(function (row, i) {
      var at = layout.panels[i], x = 40 + at.x, style = charts.style_of(row.sharing, view);
      option.title.push(title(row.label, x, at.y + 4, at.width, view));
      option.grid.push({left: x, top: at.y + 24, width: at.width, height: panel - 52, containLabel: false, outerBoundsMode: 'none'});
      option.xAxis.push(charts.axis(view, {
        gridIndex: i, min: longest === 1 ? 0 : 1, max: longest === 1 ? 2 : longest, minInterval: 1, splitNumber: 4, splitLine: {show: false},
        axisLabel: {color: c.soft, fontSize: 10, hideOverlap: true, showMaxLabel: true}
      }));
      option.yAxis.push(charts.axis(view, {
        gridIndex: i, type: log ? 'log' : 'value', min: bottom, max: top, interval: log ? undefined : step, axisLine: {show: false},
        axisLabel: {show: at.column === 0, color: c.soft, fontSize: 10, formatter: charts.short_number}
      }));
      row.seeds.forEach(function (seed) {
        var lines = [{values: seed.warmUp, from: 0, warm: true}, {values: seed.train, from: seed.warmUp.length, warm: false}];
        lines.forEach(function (part) {
          if (part.values.length === 0) return;
          option.series.push({
            type: 'line', name: 'seed ' + seed.seed + (part.warm ? ', warm-up' : ''), xAxisIndex: i, yAxisIndex: i,
            data: part.values.map(function (value, k) { return [part.from + k + 1, value]; }),
            symbol: 'circle', symbolSize: 4, showSymbol: part.values.length < 8,
            lineStyle: {color: part.warm ? c.soft : style.colour, width: 1.3, opacity: 0.85, type: part.warm ? [3, 3] : 'solid'},
            itemStyle: {color: part.warm ? c.soft : style.colour},
            tooltip: {valueFormatter: function (value) { return value === null ? 'not finite' : (+value).toFixed(4); }}
          });
        });
      });
    });
    return {option: option, height: layout.height + 6, note: log ? 'The loss stands on a logarithmic axis.' : ''};
  };

  // ---------------------------------------------------------------------------- task affinities

  // Tasks in the order of the groups, and where each group stands in it.
  function ordered(grouping) {
    var tasks = [], groups = [];
    grouping.partition.forEach(function (group) {
      groups.push([tasks.length, tasks.length + group.length - 1]);
      tasks = tasks.concat(group);
    });
    return {tasks: tasks, groups: groups, index: tasks.map(function (task) { return grouping.tasks.indexOf(task); })};
  }

  function mixed(a, b, share) {
    function channel(colour, at) { return parseInt(colour.substr(at, 2), 16); }
    return 'rgb(' + [1, 3, 5].map(function (at) {
      return Math.round(channel(a, at) + share * (channel(b, at) - channel(a, at)));
    }).join(',') + ')';
  }

  // The affinity matrices of one row of the study, a panel a seed; view.row is the row's label.
  charts.draw.affinity = function (study, view) {
    var c = charts.colours(view), option = charts.frame(view);
    var found = study.groupings.filter(function (g) { return g.label === view.row && g.affinity.length > 0; });
    var n = Math.max.apply(null, found.map(function (g) { return g.tasks.length; })), largest = 0;
    found.forEach(function (g) {
      g.affinity.forEach(function (value, i) {
        if (value !== null && Math.floor(i / g.tasks.length) !== i % g.tasks.length) largest = Math.max(largest, Math.abs(value));
      });
    });
    largest = largest || 1;
    var letters = 0;
    found[0].tasks.forEach(function (task) { letters = Math.max(letters, task.length); });
    var side = Math.min(90, 12 + 6.2 * letters), cell = Math.max(28, Math.min(42, Math.floor(300 / n)));
    var layout = tiles(found.length, view.width, Math.min(view.width, side + cell * n), 46 + cell * n + 16, 20);
    option.title = [];
    option.grid = [];
    option.xAxis = [];
    option.yAxis = [];
    option.series = [];
    found.forEach(function (grouping, i) {
      var at = layout.panels[i], order = ordered(grouping), size = order.tasks.length;
      var box = Math.min(at.width - side, cell * size);
      option.title.push(title('seed ' + grouping.seed, at.x + side, at.y + 2, box, view));
      option.grid.push({left: at.x + side, top: at.y + 40, width: box, height: box, containLabel: false, outerBoundsMode: 'none'});
      var category = {type: 'category', gridIndex: i, data: order.tasks, splitLine: {show: false}, axisLine: {show: false}};
      option.xAxis.push(charts.axis(view, category));
      option.xAxis[i].position = 'top';
      option.xAxis[i].axisLabel = {color: c.soft, fontSize: 10, interval: 0, width: box / size - 2, overflow: 'truncate'};
      option.yAxis.push(charts.axis(view, category));
      option.yAxis[i].inverse = true;
      option.yAxis[i].axisLabel = {color: c.soft, fontSize: 10, interval: 0, width: side - 8, overflow: 'truncate'};
      var cells = [];
      order.index.forEach(function (from, y) {
        order.index.forEach(function (to, x) { cells.push([x, y, grouping.affinity[from * size + to], x === y ? 1 : 0]); });
      });
      option.series.push({
        type: 'custom', xAxisIndex: i, yAxisIndex: i, data: cells, encode: {x: 0, y: 1, tooltip: 2},
        tooltip: {formatter: function (item) {
          return charts.escaped(order.tasks[item.value[1]]) + ' → ' + charts.escaped(order.tasks[item.value[0]]) + '<br>' + item.value[2];
        }},
        renderItem: function (parameters, api) {
          var value = api.value(2), size_ = api.size([1, 1]), p = api.coord([api.value(0), api.value(1)]);
          var share = Math.max(-1, Math.min(1, value / largest)), own = api.value(3) === 1;
          var fill = own ? c.band : mixed(c.middle, share < 0 ? c.low : c.high, Math.abs(share));
          return {type: 'group', children: [
            {type: 'rect', shape: {x: p[0] - size_[0] / 2, y: p[1] - size_[1] / 2, width: size_[0], height: size_[1]},
             style: {fill: fill, stroke: c.line, lineWidth: 0.5}},
            {type: 'text', style: {text: isNaN(value) ? '–' : value.toFixed(Math.abs(value) < 0.1 ? 3 : 2), x: p[0], y: p[1], align: 'center', verticalAlign: 'middle',
              fontSize: size_[0] < 36 ? 9 : 10.5, fill: own ? c.soft : !view.dark && Math.abs(share) > 0.62 ? '#ffffff' : view.dark && Math.abs(share) > 0.62 ? '#0d1117' : c.ink}}
          ]};
        }
      }, {
        type: 'custom', xAxisIndex: i, yAxisIndex: i, silent: true, z: 5, data: order.groups, encode: {x: 0, y: 1},
        renderItem: function (parameters, api) {
          var group = order.groups[parameters.dataIndex], a = api.coord([group[0], group[0]]), b = api.coord([group[1], group[1]]), s = api.size([1, 1]);
          return {type: 'rect', style: {fill: 'none', stroke: c.ink, lineWidth: 2.4},
            shape: {x: a[0] - s[0] / 2, y: a[1] - s[1] / 2, width: b[0] - a[0] + s[0], height: b[1] - a[1] + s[1], r: 2}};
        }
      });
    });
    return {option: option, height: layout.height};
  };

  // ---------------------------------------------------------------------------- one run in detail

  // view.run: {classes, right, total} counts of the classes.
  charts.draw.class_accuracy = function (study, view) {
    var c = charts.colours(view), option = charts.frame(view), run = view.run;
    var items = run.classes.map(function (name, i) { return {name: name, right: run.right[i], total: run.total[i]}; })
      .filter(function (item) { return item.total > 0; })
      .sort(function (a, b) { return a.right / a.total - b.right / b.total || b.total - a.total; });
    var step = 17, columns = Math.max(1, Math.min(4, Math.floor(view.width / 250)));
    var rows = Math.ceil(items.length / columns), layout = tiles(columns, view.width, view.width / columns - 12, rows * step + 8, 12);
    option.grid = [];
    option.xAxis = [];
    option.yAxis = [];
    option.series = [];
    for (var i = 0; i < columns; ++i) {
      var part = items.slice(i * rows, (i + 1) * rows);
      if (part.length === 0) continue;
      var at = layout.panels[i], names = Math.min(110, 0.4 * at.width);
      option.grid.push({left: at.x + names, top: 4, width: at.width - names - 44, height: part.length * step, containLabel: false, outerBoundsMode: 'none'});
      option.xAxis.push(charts.axis(view, {gridIndex: i, min: 0, max: 1, splitNumber: 2, axisLabel: {show: false}, axisLine: {show: false}}));
      option.yAxis.push(charts.axis(view, {
        gridIndex: i, type: 'category', inverse: true, data: part.map(function (item) { return item.name; }), splitLine: {show: false},
        axisLabel: {color: c.ink, fontSize: 11, interval: 0, width: names - 8, overflow: 'truncate'}
      }));
      option.series.push({
        type: 'bar', xAxisIndex: i, yAxisIndex: i, barWidth: 10, itemStyle: {color: c.good}, showBackground: true, backgroundStyle: {color: c.band},
        data: part.map(function (item) { return {value: item.right / item.total, item: item}; }),
        label: {show: true, position: 'right', color: c.soft, fontSize: 10, formatter: function (bar) { return bar.data.item.right + '/' + bar.data.item.total; }},
        tooltip: {formatter: function (bar) {
          return charts.escaped(bar.data.item.name) + '<br>' + charts.percent(bar.data.value) + ' % (' + bar.data.item.right + ' of ' + bar.data.item.total + ')';
        }}
      });
    }
    return {option: option, height: rows * step + 12};
  };

  // view.run: {classes, cells: [[truth, answer, images]], total}.
  charts.draw.confusion = function (study, view) {
    var c = charts.colours(view), option = charts.frame(view), run = view.run, n = run.classes.length;
    var labelled = view.width >= 560 && n <= 80, side = labelled ? 96 : 26;
    var box = Math.min(view.width - side - 12, 860), font = Math.max(7, Math.min(11, box / n - 3));
    option.grid = {left: side, top: labelled ? 90 : 30, width: box, height: box, containLabel: false, outerBoundsMode: 'none',
      show: true, borderColor: c.line, backgroundColor: 'transparent'};
    var category = {type: 'category', data: run.classes, splitLine: {show: false}, axisLine: {show: false}};
    option.xAxis = charts.axis(view, category);
    option.xAxis.position = 'top';
    option.xAxis.name = labelled ? '' : 'answer';
    option.xAxis.nameGap = 12;
    option.xAxis.axisLabel = {show: labelled, color: c.soft, fontSize: font, interval: 0, rotate: 90, width: 84, overflow: 'truncate'};
    option.yAxis = charts.axis(view, category);
    option.yAxis.inverse = true;
    option.yAxis.name = labelled ? '' : 'true class';
    option.yAxis.nameGap = 12;
    option.yAxis.axisLabel = {show: labelled, color: c.soft, fontSize: font, interval: 0, width: 90, overflow: 'truncate'};
    option.series = [{
      type: 'custom', data: run.cells.map(function (cell) { return [cell[1], cell[0], cell[2]]; }), encode: {x: 0, y: 1},
      tooltip: {formatter: function (item) {
        var truth = item.value[1], answer = item.value[0];
        return (truth === answer ? 'right: ' : 'true class ') + charts.escaped(run.classes[truth]) +
          (truth === answer ? '' : ', answered ' + charts.escaped(run.classes[answer])) + '<br>' +
          item.value[2] + ' of ' + run.total[truth] + ' images';
      }},
      renderItem: function (parameters, api) {
        var p = api.coord([api.value(0), api.value(1)]), size = api.size([1, 1]), own = api.value(0) === api.value(1);
        var share = api.value(2) / run.total[api.value(1)];
        return {type: 'rect', shape: {x: p[0] - size[0] / 2 + 0.3, y: p[1] - size[1] / 2 + 0.3, width: size[0] - 0.6, height: size[1] - 0.6},
          style: {fill: mixed(c.middle, own ? c.high : c.low, 0.15 + 0.85 * share)}};
      }
    }];
    return {option: option, height: (labelled ? 90 : 30) + box + 14};
  };

  // ---------------------------------------------------------------------------- mean ranks

  // Critical-difference diagram: methods on an axis of mean ranks, best left; a bar joins those that
  // cannot be told apart. study.ranks: {rows: [label], ranks, groups, difference}.
  charts.draw.critical_difference = function (study, view) {
    var c = charts.colours(view), ranks = study.ranks, n = ranks.rows.length, option = charts.frame(view);
    var order = ranks.ranks.map(function (rank, i) { return i; }).sort(function (a, b) { return ranks.ranks[a] - ranks.ranks[b] || a - b; });
    var half = Math.ceil(n / 2), step = 17, margin = Math.min(200, Math.round(0.3 * view.width)), top = 56 + 9 * ranks.groups.length;
    var left = margin + 10, right = view.width - margin - 10, height = top + step * half + 16;
    function at(rank) { return left + (rank - 1) / (n - 1) * (right - left); }
    var parts = [charts.line(left, 34, right, 34, c.ink, 1.4)];
    function text(words, x, y, align, colour, size) {
      parts.push({type: 'text', silent: true, style: {text: words, x: x, y: y, align: align, verticalAlign: 'middle', fill: colour, fontSize: size}});
    }
    var every = Math.max(1, Math.ceil(n / Math.max(2, (right - left) / 34)));
    for (var rank = 1; rank <= n; rank += every) {
      parts.push(charts.line(at(rank), 34, at(rank), 29, c.ink, 1.2));
      text(String(rank), at(rank), 21, 'center', c.soft, 11);
    }
    var reach = Math.min(right, left + ranks.difference / (n - 1) * (right - left));
    parts.push(charts.line(left, 7, reach, 7, c.good, 2.5));
    text('critical difference ' + charts.short(ranks.difference), reach + 8, 7, 'left', c.good, 11);
    ranks.groups.forEach(function (group, i) {
      var values = group.map(function (member) { return ranks.ranks[member]; }), y = 44 + 9 * i;
      parts.push(charts.line(at(Math.min.apply(null, values)) - 3, y, at(Math.max.apply(null, values)) + 3, y, c.ink, 3.2));
    });
    order.forEach(function (index, place) {
      var first = place < half, y = top + step * (first ? place : n - 1 - place) + 6, x = at(ranks.ranks[index]), end = first ? left - 6 : right + 6;
      parts.push({type: 'polyline', silent: true, shape: {points: [[x, 34], [x, y], [end, y]]}, style: {stroke: c.soft, lineWidth: 0.8, fill: 'none'}});
      text(ranks.rows[index] + ' ' + ranks.ranks[index].toFixed(2), first ? end - 4 : end + 4, y, first ? 'right' : 'left', c.ink, 11);
    });
    option.tooltip.show = false;
    option.xAxis = {show: false, min: 0, max: 1, type: 'value'};
    option.yAxis = {show: false, min: 0, max: 1, type: 'value'};
    option.series = [{type: 'custom', silent: true, clip: false, data: [[0, 0]], renderItem: function () { return {type: 'group', children: parts}; }}];
    return {option: option, height: height};
  };

  // ---------------------------------------------------------------------------- which charts there are

  // The charts of a study that the page and the figure files show, in order: {name, kind, row}.
  charts.figures = function (study) {
    var figures = [];
    if (charts.finished(study).length === 0) return figures;
    figures.push({name: 'accuracy_parameters', kind: 'accuracy_parameters'});
    if (study.times && study.rows.some(function (row) { return row.trainSeconds !== null; })) {
      figures.push({name: 'accuracy_seconds', kind: 'accuracy_seconds'});
    }
    figures.push({name: 'seeds', kind: 'seeds'});
    if (study.ranks) figures.push({name: 'critical_difference', kind: 'critical_difference'});
    if (curves_of(study).length > 0) figures.push({name: 'learning_curves', kind: 'learning_curves'});
    var rows = [];
    study.groupings.forEach(function (grouping) {
      if (grouping.affinity.length > 0 && rows.indexOf(grouping.label) < 0) rows.push(grouping.label);
    });
    rows.forEach(function (row) { figures.push({name: 'affinity', kind: 'affinity', row: row}); });
    return figures;
  };
})(petlabCharts);
