// What the charts of a report look like, whoever draws them: the page in a browser, and petlab itself
// in its embedded JavaScript engine when it writes figure files. That engine knows ECMAScript 5 only.
//
// Every chart is a function (study, view) -> {option, height}: `study` is the page's data of one
// study (page_data.cpp), `view` says where it is drawn: {width, dark, print}. `option` is for ECharts.
var petlabCharts = (function () {
  'use strict';

  var light = {
    ink: '#1f2328', soft: '#57606a', line: '#d8dee4', ground: '#ffffff', band: '#f0f2f5',
    good: '#0b62b0', bad: '#b3400b', mark: '#ffffff', low: '#c2600e', middle: '#fbfbfb', high: '#1c6db8',
    series: ['#0b62b0', '#c2500a', '#13795b', '#a63d80', '#7a6400', '#5b4bb5', '#b3261e', '#3d6470']
  };
  var dark = {
    ink: '#e6edf3', soft: '#9da7b1', line: '#30363d', ground: '#0d1117', band: '#161b22',
    good: '#63b3f5', bad: '#f59a5b', mark: '#0d1117', low: '#e08a3c', middle: '#1b2129', high: '#58a6ff',
    series: ['#63b3f5', '#f59a5b', '#4cc79a', '#e79bcb', '#d9c14a', '#a99bf2', '#ff8a80', '#9cc3cf']
  };
  // Without quotes: in an SVG file the list stands inside an attribute.
  var font = 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif';

  // Colour and shape of a sharing, the same in all charts of all studies; others take what is left.
  var sharings = ['per-task', 'joint', 'grouped', 'grouped+specific', 'joint+specific'];
  var shapes = ['circle', 'rect', 'triangle', 'diamond',
    'path://M0,-10 L9.5,-3.1 L5.9,8.1 L-5.9,8.1 L-9.5,-3.1 Z'];

  function style_of(sharing, view) {
    var at = sharings.indexOf(sharing);
    if (at < 0) return {colour: colours(view).series[5], shape: 'roundRect', size: 10};
    return {colour: colours(view).series[at], shape: shapes[at], size: [11, 10, 12, 13, 12][at]};
  }

  function colours(view) { return view.dark ? dark : light; }

  function escaped(text) {
    return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
  }

  function percent(fraction, places) { return (100 * fraction).toFixed(places === undefined ? 1 : places); }

  // "0.0123", "4.56", "789": three digits that count.
  function short(value) {
    if (value === 0) return '0';
    var size = Math.abs(value);
    return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 4);
  }

  // Of an axis: as few digits as tell it from its neighbours.
  function short_number(value) { return String(+value.toPrecision(4)); }

  // "500", "20k", "3M".
  function count(value) {
    var units = ['', 'k', 'M', 'G'], unit = 0;
    while (value >= 1000 && unit < 3) { value /= 1000; ++unit; }
    return (value >= 10 || value === Math.round(value) ? value.toFixed(0) : value.toFixed(1)) + units[unit];
  }

  function mean(values) {
    var sum = 0;
    values.forEach(function (value) { sum += value; });
    return sum / values.length;
  }

  // What all charts share.
  function frame(view) {
    var c = colours(view);
    return {
      animation: false,
      backgroundColor: view.file ? c.ground : 'transparent',
      textStyle: {fontFamily: font, color: c.ink, fontSize: 12},
      tooltip: {
        trigger: 'item', confine: true, backgroundColor: c.band, borderColor: c.line, padding: [6, 10],
        textStyle: {color: c.ink, fontSize: 12, fontFamily: font}
      }
    };
  }

  function axis(view, more) {
    var c = colours(view);
    var result = {
      type: 'value', nameLocation: 'middle', nameGap: 30, nameTextStyle: {color: c.ink, fontSize: 12},
      axisLine: {show: true, onZero: false, lineStyle: {color: c.soft}}, axisTick: {show: false},
      axisLabel: {color: c.soft, fontSize: 11}, splitLine: {show: true, lineStyle: {color: c.line}}
    };
    for (var key in more) result[key] = more[key];
    return result;
  }

  function line(x1, y1, x2, y2, stroke, width, more) {
    var style = {stroke: stroke, lineWidth: width};
    for (var key in more || {}) style[key] = more[key];
    return {type: 'line', shape: {x1: x1, y1: y1, x2: x2, y2: y2}, style: style, silent: true};
  }

  function finished(study) {
    return study.rows.filter(function (row) { return row.mean !== null; });
  }

  function interval_text(estimate) {
    if (!estimate) return '–';
    return percent(estimate.mean, 2) + (estimate.half === null ? ' (n=1)' : ' ± ' + percent(estimate.half, 2)) + ' %';
  }

  function quantile(sorted, share) {
    var at = share * (sorted.length - 1), low = Math.floor(at), high = Math.ceil(at);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }

  // The limits of an accuracy axis: all seeds, and the intervals as far as they do not squeeze the rest.
  // Rows far below the bulk would squeeze it too: they stand at the edge, with their accuracy in words.
  function accuracy_limits(rows) {
    var means = rows.map(function (row) { return row.mean.mean; }).sort(function (a, b) { return a - b; });
    var quarter = quantile(means, 0.25), spread = quantile(means, 0.75) - quarter;
    var floor = rows.length < 8 ? 0 : quarter - 3 * spread - 0.03;
    var low = 1, high = 0, wide_low = 1, wide_high = 0;
    rows.forEach(function (row) {
      if (row.mean.mean < floor) return;
      row.seeds.forEach(function (seed) {
        low = Math.min(low, Math.max(floor, seed.accuracy));
        high = Math.max(high, seed.accuracy);
      });
      var half = row.mean.half || 0;
      wide_low = Math.min(wide_low, row.mean.mean - half);
      wide_high = Math.max(wide_high, row.mean.mean + half);
    });
    var room = Math.max(0.01, 0.4 * (high - low));
    low = Math.max(low - room, Math.min(low, wide_low));
    high = Math.min(high + room, Math.max(high, wide_high));
    var margin = 0.05 * Math.max(0.01, high - low);
    return [Math.max(0, low - margin), Math.min(1, high + margin)];
  }

  function below_note(rows, low) {
    var below = rows.filter(function (row) { return row.mean.mean < low; }).length;
    return below === 0 ? '' : below + (below === 1 ? ' row lies' : ' rows lie') + ' below the axis: at its edge, with the accuracy beside the name.';
  }

  // Round numbers inside [low, high], about `wanted` of them.
  function ticks(low, high, wanted) {
    var raw = (high - low) / wanted, power = Math.pow(10, Math.floor(Math.log(raw) / Math.LN10 + 1e-9));
    var step = [1, 2, 5, 10].filter(function (factor) { return factor * power >= raw * 0.99; })[0] * power;
    var found = [];
    for (var i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) found.push(i * step);
    return found;
  }

  // All rows from best to worst: seeds as dots, mean and interval; `task` -1 is the mean over domains.
  function seeds(study, view) {
    var c = colours(view), task = view.task === undefined ? -1 : view.task;
    var rows = finished(study).map(function (row) {
      var values = row.seeds.map(function (seed) { return task < 0 ? seed.accuracy : seed.tasks[task]; });
      var known = values.filter(function (value) { return value !== null; });
      return {row: row, values: values, mean: known.length ? (task < 0 ? row.mean.mean : row.tasks ? row.tasks[task] : mean(known)) : 0,
              half: task < 0 ? row.mean.half : null, known: known.length};
    }).filter(function (row) { return row.known > 0; }).sort(function (a, b) { return b.mean - a.mean; });
    var step = rows.length > 40 ? 19 : 25, height = 56 + step * rows.length + 26;
    var names = Math.min(230, Math.round(0.38 * view.width));
    var limits = task < 0 ? accuracy_limits(finished(study)) : null;
    if (!limits) {
      var all = [];
      rows.forEach(function (row) { all = all.concat(row.values.filter(function (v) { return v !== null; })); });
      var low = Math.min.apply(null, all), high = Math.max.apply(null, all), room = Math.max(0.01, 0.06 * (high - low));
      limits = [Math.max(0, low - room), Math.min(1, high + room)];
    }
    var zero = study.zeroShot === null ? null : rows.filter(function (row) { return row.row === study.rows[study.zeroShot]; })[0];
    var dots = [], means = [];
    rows.forEach(function (row, i) {
      var style = style_of(row.row.sharing, view);
      if (row.mean < limits[0]) {  // a mark pointing out of the chart
        means.push({value: [100 * limits[0], i, NaN], row: row, symbol: 'triangle', symbolRotate: 90, symbolSize: 9,
                    itemStyle: {color: style.colour}, symbolOffset: [6, 0],
                    label: {show: true, position: 'right', distance: 8, color: c.soft, fontSize: 11, formatter: percent(row.mean, 1)}});
        return;
      }
      if (row.values.length > 1) row.values.forEach(function (value, s) {
        if (value === null) return;
        dots.push({value: [100 * value, i], seed: row.row.seeds[s].seed, row: row, itemStyle: {color: style.colour}});
      });
      means.push({value: [100 * row.mean, i, row.half === null ? NaN : 100 * row.half], row: row,
                  symbol: style.shape, symbolSize: style.size, itemStyle: {color: style.colour}});
    });
    var option = frame(view);
    option.grid = {left: names + 12, right: 18, top: 30, bottom: 44, containLabel: false, outerBoundsMode: 'none'};
    var marks = ticks(100 * limits[0], 100 * limits[1], view.width < 600 ? 4 : 8);
    option.xAxis = axis(view, {
      min: 100 * limits[0], max: 100 * limits[1], position: 'bottom', nameGap: 28,
      name: (task < 0 ? 'mean over domains' : study.tasks[task]) + ', accuracy in %',
      axisLabel: {color: c.soft, fontSize: 11, customValues: marks, formatter: short_number},
      axisTick: {show: false, customValues: marks}
    });
    option.yAxis = axis(view, {
      type: 'category', inverse: true, data: rows.map(function (row) { return row.row.label; }),
      axisLabel: {color: c.ink, fontSize: step > 20 ? 12 : 11, interval: 0, width: names, overflow: 'truncate', margin: 8},
      splitLine: {show: true, lineStyle: {color: c.line, opacity: 0.6}}
    });
    option.series = [{
      type: 'custom', silent: true, clip: true, data: means, encode: {x: 0, y: 1},
      renderItem: function (parameters, api) {
        var half = api.value(2);
        if (!(half > 0)) return null;
        var i = api.value(1), a = api.coord([api.value(0) - half, i]), b = api.coord([api.value(0) + half, i]);
        var colour = means[parameters.dataIndex].itemStyle.color;
        return {type: 'group', children: [line(a[0], a[1], b[0], b[1], colour, 1.5),
          line(a[0], a[1] - 4, a[0], a[1] + 4, colour, 1.5), line(b[0], b[1] - 4, b[0], b[1] + 4, colour, 1.5)]};
      }
    }, {
      type: 'scatter', data: dots, symbol: 'circle', symbolSize: 5, symbolOffset: [0, step > 20 ? 7 : 5],
      itemStyle: {opacity: 0.75}, z: 3,
      tooltip: {formatter: function (item) {
        return escaped(item.data.row.row.label) + ', seed ' + item.data.seed + '<br>' + item.data.value[0].toFixed(2) + ' %';
      }}
    }, {
      type: 'scatter', data: means, z: 4, itemStyle: {borderColor: c.mark, borderWidth: 1.2},
      markLine: zero && {silent: true, symbol: 'none', lineStyle: {color: c.soft, type: 'dashed', width: 1},
        label: {color: c.soft, fontSize: 11, position: 'start', distance: 4, formatter: ''},
        data: [{xAxis: 100 * zero.mean}]},
      tooltip: {formatter: function (item) {
        return escaped(item.data.row.row.label) + '<br>' + (task < 0 ? interval_text(item.data.row.row.mean) : percent(item.data.row.mean, 2) + ' %');
      }}
    }];
    return {option: option, height: height, note: task < 0 ? below_note(finished(study), limits[0]) : ''};
  }

  return {
    colours: colours, style_of: style_of, sharings: sharings, escaped: escaped, percent: percent, short: short, short_number: short_number,
    count: count, mean: mean, frame: frame, axis: axis, line: line, finished: finished, ticks: ticks,
    interval_text: interval_text, accuracy_limits: accuracy_limits, below_note: below_note, draw: {seeds: seeds}
  };
})();
