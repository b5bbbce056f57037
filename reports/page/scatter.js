// Accuracy against a cost, with the Pareto front and a name beside each row's mark.
(function (charts) {
  'use strict';

  // ---------------------------------------------------------------------------- names beside marks

  function overlap(a, b) {
    var width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
    var height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
    return width > 0 && height > 0 ? width * height : 0;
  }

  function distance(box, point) {
    var x = Math.max(box.x - point.x, 0, point.x - box.x - box.width);
    var y = Math.max(box.y - point.y, 0, point.y - box.y - box.height);
    return Math.sqrt(x * x + y * y);
  }

  // A place for each label: near its mark, and clear of marks and other labels; lines behind it are a
  // lesser evil. A label without a clear place is left out, unless it is `wanted`. Places are tried from
  // near to far, so most labels are done after a few tries.
  function place(labels, marks, lines, bounds, height) {
    var gaps = [9, 14, 22, 32, 46, 64, 88], directions = 16, taken = [];
    var order = labels.map(function (label, i) { return i; }).sort(function (a, b) {
      return (labels[b].wanted ? 1 : 0) - (labels[a].wanted ? 1 : 0) || a - b;
    });
    order.forEach(function (index) {
      var label = labels[index], best = null, least = Infinity, covered = 0, reach = gaps[gaps.length - 1] + 2;
      var around = {x: label.x - label.width - reach, y: label.y - height - reach, width: 2 * (label.width + reach), height: 2 * (height + reach)};
      function near(box) { return overlap(around, box) > 0; }
      var evils = marks.filter(near).concat(taken.filter(near)), behind = lines.filter(near);
      for (var g = 0; g < gaps.length && least > 2 * gaps[g]; ++g) {
        for (var d = 0; d < directions; ++d) {
          var angle = 2 * Math.PI * d / directions, gap = gaps[g];
          var cx = label.x + Math.cos(angle) * (gap + label.width / 2);
          var cy = label.y + Math.sin(angle) * (gap + height / 2);
          var box = {x: cx - label.width / 2, y: cy - height / 2, width: label.width, height: height};
          var evil = box.width * box.height - overlap(box, bounds), cost = 2 * gap;
          for (var m = 0; m < evils.length; ++m) evil += overlap(box, evils[m]);
          cost += 20 * evil;
          for (var l = 0; l < behind.length && cost < least; ++l) cost += 2 * overlap(box, behind[l]);
          if (cost < least) { least = cost; best = box; covered = evil; }
        }
      }
      if (covered > 1 && !label.wanted) return;
      taken.push(best);
      label.box = best;
    });
  }

  // ---------------------------------------------------------------------------- axes and the front

  // A logarithmic axis with a place for 0 to the left of it.
  function cost_axis(values, kind) {
    var positive = values.filter(function (value) { return value > 0; });
    var logs = positive.map(function (value) { return Math.log(value) / Math.LN10; });
    var low = logs.length ? Math.min.apply(null, logs) : 0, high = logs.length ? Math.max.apply(null, logs) : 1;
    var room = Math.max(0.1, 0.06 * (high - low));
    low -= room;
    high += room;
    var has_zero = positive.length < values.length, zero = low - 0.09 * (high - low);
    var marks = [];
    for (var e = Math.floor(low); e <= Math.ceil(high); ++e) {
      (high - low < 2.5 ? [1, 2, 5] : [1]).forEach(function (factor) {
        var at = e + Math.log(factor) / Math.LN10;
        if (at >= low && at <= high && logs.length) marks.push(at);
      });
    }
    return {
      min: has_zero ? zero - 0.05 * (high - low) : low, max: high, broken: has_zero && logs.length ? low - 0.02 * (high - low) : null,
      marks: (has_zero ? [zero] : []).concat(marks),
      at: function (value) { return value > 0 ? Math.log(value) / Math.LN10 : zero; },
      text: function (at) { return has_zero && Math.abs(at - zero) < 1e-9 ? '0' : kind.number(+Math.pow(10, at).toPrecision(6)); },
      words: kind.words, offset: kind.offset
    };
  }

  // The rows that no other row beats at no more cost, from cheap to dear.
  function front(points) {
    var best = -Infinity;
    return points.slice().sort(function (a, b) { return a.cost - b.cost || b.accuracy - a.accuracy; })
      .filter(function (point) {
        if (point.accuracy <= best) return false;
        best = point.accuracy;
        return true;
      });
  }

  // ---------------------------------------------------------------------------- the chart

  // Interval bars and the front as thin boxes, in pixels.
  function lines_of(points, best, right, top, tall, span) {
    var boxes = [];
    function box(x1, y1, x2, y2) {
      boxes.push({x: Math.min(x1, x2) - 2, y: Math.min(y1, y2) - 2, width: Math.abs(x2 - x1) + 4, height: Math.abs(y2 - y1) + 4});
    }
    points.forEach(function (point) {
      var half = 100 * (point.half || 0) / span * tall;
      if (half > 0) box(point.x, Math.max(top, point.y - half), point.x, Math.min(top + tall, point.y + half));
    });
    best.forEach(function (point, i) {
      var next = best[i + 1];
      box(point.x, point.y, next ? next.x : right, point.y);
      if (next) box(next.x, point.y, next.x, next.y);
    });
    return boxes;
  }

  function points_of(study, cost_of_row, cost_of_seed) {
    var points = [];
    charts.finished(study).forEach(function (row) {
      var cost = cost_of_row(row);
      if (cost === null) return;
      var costs = row.seeds.map(cost_of_seed).filter(function (value) { return value !== null; });
      points.push({
        row: row, cost: cost, accuracy: row.mean.mean, half: row.mean.half,
        low: Math.min.apply(null, costs), high: Math.max.apply(null, costs), costs: row.seeds.map(cost_of_seed)
      });
    });
    return points;
  }

  var dashes = 'path://M0,5 L5,5 L5,7 L0,7 Z M8,5 L13,5 L13,7 L8,7 Z M16,5 L21,5 L21,7 L16,7 Z';

  // `kind`: {name, of_row, of_seed, number, words, offset}: the axis' name, a row's and a seed's cost, a
  // cost on the axis and in words, and how many pixels the seeds' dots stand beside their place.
  function scatter(study, view, kind) {
    var c = charts.colours(view), points = points_of(study, kind.of_row, kind.of_seed);
    var every = [];
    points.forEach(function (point) { every = every.concat([point.low, point.high]); });
    var axis = cost_axis(every, kind), limits = charts.accuracy_limits(points.map(function (point) { return point.row; }));
    var low = 100 * limits[0], high = 100 * limits[1];
    var narrow = view.width < 600, height = narrow ? 420 : Math.min(640, 470 + 2 * points.length);
    var grid = {left: 54, right: 16, top: narrow ? 58 : 36, bottom: 48};
    var wide = view.width - grid.left - grid.right, tall = height - grid.top - grid.bottom;
    points.forEach(function (point) {
      point.x = grid.left + (axis.at(point.cost) - axis.min) / (axis.max - axis.min) * wide;
      point.below = 100 * point.accuracy < low;
      point.shown = point.below ? low : 100 * point.accuracy;
      point.y = grid.top + (high - point.shown) / (high - low) * tall - (point.below ? 7 : 0);
      point.name = point.row.label + (point.below ? ' (' + charts.percent(point.accuracy) + ' %)' : '');
    });

    var best = front(points);
    var labels = points.map(function (point) {
      return {x: point.x, y: point.y, width: 6.3 * point.name.length + 2, wanted: best.indexOf(point) >= 0, point: point};
    });
    place(labels, points.map(function (point) { return {x: point.x - 7, y: point.y - 7, width: 14, height: 14}; }),
      lines_of(points, best, grid.left + wide, grid.top, tall, high - low),
      {x: grid.left + 2, y: grid.top - 6, width: wide - 4, height: tall + 4}, 14);

    var option = charts.frame(view), y_ticks = charts.ticks(low, high, 6);
    option.grid = {left: grid.left, right: grid.right, top: grid.top, bottom: grid.bottom, containLabel: false, outerBoundsMode: 'none'};
    option.xAxis = charts.axis(view, {
      min: axis.min, max: axis.max, name: kind.name, nameGap: 30,
      axisLabel: {color: c.soft, fontSize: 11, customValues: axis.marks, formatter: axis.text, hideOverlap: true},
      axisTick: {show: false, customValues: axis.marks}
    });
    option.yAxis = charts.axis(view, {
      min: low, max: high, name: narrow ? 'accuracy in %' : 'mean accuracy over domains in %', nameGap: 38,
      axisLabel: {color: c.soft, fontSize: 11, customValues: y_ticks, formatter: charts.short_number},
      axisTick: {show: false, customValues: y_ticks}
    });
    var groups = [];
    points.forEach(function (point) {
      if (groups.indexOf(point.row.sharing) < 0) groups.push(point.row.sharing);
    });
    groups.sort(function (a, b) { return charts.sharings.indexOf(a) - charts.sharings.indexOf(b); });
    var shown = groups.map(function (group) { return {name: group, icon: charts.style_of(group, view).shape}; });
    if (best.length > 1) shown.push({name: 'Pareto front', icon: dashes});
    option.legend = {
      data: shown, top: 2, left: 'center', itemGap: 16, itemWidth: 16, itemHeight: 10, inactiveColor: c.line,
      textStyle: {color: c.ink, fontSize: 12}
    };
    option.series = [];
    if (best.length > 1) option.series.push(front_series(best, axis, c));
    if (axis.broken !== null) option.series.push(break_series(axis.broken, low, c));
    option.series.push(ground_series(labels.filter(function (label) { return label.box; }), axis, c));
    groups.forEach(function (group) {
      var members = points.filter(function (point) { return point.row.sharing === group; });
      var names = labels.filter(function (label) { return label.box && label.point.row.sharing === group; });
      option.series = option.series.concat(group_series(group, members, names, axis, view));
    });
    var named = labels.filter(function (label) { return label.box; }).length;
    var notes = [charts.below_note(points.map(function (point) { return point.row; }), low / 100)];
    if (named < points.length) notes.push(named + ' of ' + points.length + ' rows are named; the table names all.');
    return {option: option, height: height, note: notes.join(' ').trim()};
  }

  function front_series(best, axis, c) {
    var line = best.map(function (point) { return [axis.at(point.cost), 100 * point.accuracy]; });
    line.push([axis.max, line[line.length - 1][1]]);
    return {
      type: 'line', name: 'Pareto front', step: 'end', data: line, symbol: 'none', silent: true, z: 1,
      lineStyle: {color: c.soft, width: 1.4, type: [5, 4]}, itemStyle: {color: c.soft}
    };
  }

  // Two strokes where the logarithmic axis ends and the place for 0 begins.
  function break_series(at, low, c) {
    return {
      type: 'custom', silent: true, clip: false, data: [[at, low]], z: 5, renderItem: function (parameters, api) {
        var p = api.coord([at, low]);
        return {type: 'group', children: [charts.line(p[0] - 4, p[1] + 5, p[0], p[1] - 5, c.soft, 1.2),
          charts.line(p[0] + 1, p[1] + 5, p[0] + 5, p[1] - 5, c.soft, 1.2)]};
      }
    };
  }

  // The ground behind the names: bars and the front end at a name, and do not strike it through.
  function ground_series(names, axis, c) {
    return {
      type: 'custom', silent: true, clip: false, z: 2,
      data: names.map(function (name) { return [axis.at(name.point.cost), 100 * name.point.accuracy]; }),
      renderItem: function (parameters) {
        var box = names[parameters.dataIndex].box;
        return {type: 'rect', silent: true, style: {fill: c.ground},
          shape: {x: box.x, y: box.y + 1, width: box.width, height: box.height - 2, r: 2}};
      }
    };
  }

  function group_series(group, points, names, axis, view) {
    var c = charts.colours(view), style = charts.style_of(group, view), dots = [];
    points.forEach(function (point) {
      point.row.seeds.forEach(function (seed, i) {
        if (point.costs[i] === null || point.below || point.row.seeds.length < 2) return;
        dots.push({value: [axis.at(point.costs[i]), 100 * seed.accuracy], point: point, seed: seed.seed, cost: point.costs[i]});
      });
    });
    return [{
      type: 'custom', name: group, silent: true, clip: true, z: 1, itemStyle: {color: style.colour},
      data: points.map(function (point) { return [axis.at(point.cost), 100 * point.accuracy]; }),
      renderItem: function (parameters, api) {
        var point = points[parameters.dataIndex], lines = [], y = 100 * point.accuracy, x = axis.at(point.cost);
        if (point.half > 0 && !point.below) {
          var a = api.coord([x, y - 100 * point.half]), b = api.coord([x, y + 100 * point.half]);
          lines.push(charts.line(a[0], a[1], b[0], b[1], style.colour, 1.4, {opacity: 0.65}));
          [a, b].forEach(function (end) { lines.push(charts.line(end[0] - 4, end[1], end[0] + 4, end[1], style.colour, 1.4, {opacity: 0.65})); });
        }
        if (point.high > point.low && !point.below) {
          var l = api.coord([axis.at(point.low), y]), h = api.coord([axis.at(point.high), y]);
          lines.push(charts.line(l[0], l[1], h[0], h[1], style.colour, 1, {opacity: 0.65}));
        }
        return {type: 'group', children: lines};
      }
    }, {
      type: 'scatter', name: group, data: dots, symbol: 'circle', symbolSize: 5, symbolOffset: axis.offset, z: 3,
      itemStyle: {color: style.colour, opacity: 0.6},
      tooltip: {formatter: function (item) {
        return charts.escaped(item.data.point.row.label) + ', seed ' + item.data.seed + '<br>' +
          item.data.value[1].toFixed(2) + ' %, ' + axis.words(item.data.cost);
      }}
    }, {
      type: 'scatter', name: group, symbol: style.shape, symbolSize: style.size, z: 4,
      itemStyle: {color: style.colour, borderColor: c.mark, borderWidth: 1.2},
      data: points.map(function (point) {
        var item = {value: [axis.at(point.cost), point.shown], point: point};
        if (point.below) { item.symbol = 'triangle'; item.symbolRotate = 180; item.symbolSize = 9; item.symbolOffset = [0, -7]; }
        return item;
      }),
      tooltip: {formatter: function (item) {
        var point = item.data.point;
        return '<b>' + charts.escaped(point.row.label) + '</b><br>' + charts.interval_text(point.row.mean) + '<br>' + axis.words(point.cost);
      }}
    }, {
      type: 'custom', name: group, silent: true, clip: false, z: 6, itemStyle: {color: style.colour},
      data: names.map(function (name) { return [axis.at(name.point.cost), 100 * name.point.accuracy]; }),
      renderItem: function (parameters) {
        var name = names[parameters.dataIndex], box = name.box, parts = [];
        if (distance(box, name.point) > 14) {
          var x = Math.max(box.x, Math.min(box.x + box.width, name.point.x));
          var y = Math.max(box.y, Math.min(box.y + box.height, name.point.y));
          parts.push(charts.line(name.point.x, name.point.y, x, y, style.colour, 0.7, {opacity: 0.7}));
        }
        parts.push({type: 'text', silent: true, style: {
          text: name.point.name, x: box.x + box.width / 2, y: box.y + box.height / 2, align: 'center', verticalAlign: 'middle',
          fill: style.colour, fontSize: 11, stroke: c.ground, lineWidth: 3
        }});
        return {type: 'group', children: parts};
      }
    }];
  }

  charts.draw.accuracy_parameters = function (study, view) {
    return scatter(study, view, {
      name: view.width < 600 ? 'trainable parameters' : 'trainable parameters over all adapters (logarithmic)',
      of_row: function (row) {
        return row.trainable === undefined ? charts.mean(row.seeds.map(function (seed) { return seed.trainable; })) : row.trainable;
      },
      of_seed: function (seed) { return seed.trainable; },
      number: charts.count, words: function (count) { return charts.count(count) + ' parameters'; },
      offset: [7, 0]  // all seeds of most rows have the same number: beside the bar they can be seen
    });
  };

  charts.draw.accuracy_seconds = function (study, view) {
    return scatter(study, view, {
      name: view.width < 600 ? 'training seconds' : 'training seconds: median over seeds, affinity phase included (logarithmic)',
      // What trains nothing takes no time to train, whatever the clock saw of the empty loop.
      of_row: function (row) {
        return row.seeds.every(function (seed) { return seed.trainable === 0; }) ? 0 : row.trainSeconds;
      },
      of_seed: function (seed) { return seed.trainable === 0 ? 0 : seed.trainSeconds; },
      number: charts.short_number, words: function (seconds) { return charts.short(seconds) + ' s'; }, offset: [0, 0]
    });
  };
})(petlabCharts);
