// Charts of many small panels: learning curves and affinity matrices.
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
  charts.tiles = tiles;

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
    var c = charts.colours(view), rows = curves_of(study), longest = 1, high = -Infinity, low = Infinity;
    rows.forEach(function (row) {
      row.seeds.forEach(function (seed) {
        [seed.warmUp, seed.train].forEach(function (values) {
          values.forEach(function (value) {
            if (value === null || !isFinite(value)) return;
            high = Math.max(high, value);
            low = Math.min(low, value);
          });
        });
        longest = Math.max(longest, seed.warmUp.length + seed.train.length);
      });
    });
    if (high < low) high = low = 1;  // not one loss is finite
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
            type: 'line', name: 'seed ' + seed.seed + (part.warm ? ', affinity phase' : ''), xAxisIndex: i, yAxisIndex: i,
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

  // The colour at `share` of the way from a to b, both "#rrggbb".
  function mixed(a, b, share) {
    function channel(colour, at) { return parseInt(colour.substr(at, 2), 16); }
    return 'rgb(' + [1, 3, 5].map(function (at) {
      return Math.round(channel(a, at) + share * (channel(b, at) - channel(a, at)));
    }).join(',') + ')';
  }
  charts.mixed = mixed;

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
          var ink = own ? c.soft : Math.abs(share) > 0.62 ? c.mark : c.ink;
          return {type: 'group', children: [
            {type: 'rect', shape: {x: p[0] - size_[0] / 2, y: p[1] - size_[1] / 2, width: size_[0], height: size_[1]},
             style: {fill: fill, stroke: c.line, lineWidth: 0.5}},
            {type: 'text', style: {
              text: isNaN(value) ? '–' : value.toFixed(Math.abs(value) < 0.1 ? 3 : 2), x: p[0], y: p[1], align: 'center',
              verticalAlign: 'middle', fontSize: size_[0] < 36 ? 9 : 10.5, fill: ink
            }}
          ]};
        }
      }, {
        type: 'custom', xAxisIndex: i, yAxisIndex: i, silent: true, z: 5, data: order.groups, encode: {x: 0, y: 1},
        renderItem: function (parameters, api) {
          var group = order.groups[parameters.dataIndex], s = api.size([1, 1]);
          var a = api.coord([group[0], group[0]]), b = api.coord([group[1], group[1]]);
          return {type: 'rect', style: {fill: 'none', stroke: c.ink, lineWidth: 2.4},
            shape: {x: a[0] - s[0] / 2, y: a[1] - s[1] / 2, width: b[0] - a[0] + s[0], height: b[1] - a[1] + s[1], r: 2}};
        }
      });
    });
    return {option: option, height: layout.height};
  };

  // ---------------------------------------------------------------------------- which charts there are

  // The charts of a study that the page and the figure files show, in order: {name, kind, row}.
  charts.figures = function (study) {
    var figures = [];
    if (charts.finished(study).length === 0) return figures;
    if (study.sizes) figures.push({name: 'train_sizes', kind: 'train_sizes'});
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
