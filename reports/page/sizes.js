// Accuracy by training size.
(function (charts) {
  'use strict';

  var shapes = ['circle', 'rect', 'triangle', 'diamond', 'roundRect'];

  // The limits of the accuracies: all means, and intervals as far as they do not squeeze the rest.
  function limits_of(lines) {
    var known = [];
    lines.forEach(function (line) { known = known.concat(line.means.filter(function (mean) { return mean !== null; })); });
    var means = known.map(function (mean) { return mean.mean; });
    var low = Math.min.apply(null, means), high = Math.max.apply(null, means), room = Math.max(0.01, 0.5 * (high - low));
    known.forEach(function (mean) {
      var reach = Math.min(mean.half || 0, room);
      low = Math.min(low, mean.mean - reach);
      high = Math.max(high, mean.mean + reach);
    });
    var margin = 0.04 * (high - low);
    return [Math.max(0, low - margin), Math.min(1, high + margin)];
  }

  // A line a row over the sizes, with an interval at each. study.sizes: {sizes: [text],
  // lines: [{label, trains, means: [{mean, half, n} or null]}]}. Sizes stand at equal distances, and the
  // marks of a size a little apart, so that intervals do not hide each other.
  charts.draw.train_sizes = function (study, view) {
    var c = charts.colours(view), sizes = study.sizes.sizes, lines = study.sizes.lines.filter(function (line) {
      return line.means.some(function (mean) { return mean !== null; });
    });
    var option = charts.frame(view), names = 6 + 20 * Math.ceil(lines.length / Math.max(1, Math.floor(view.width / 190)));
    var apart = Math.min(0.04, 0.4 / Math.max(1, lines.length));
    option.legend = {bottom: 0, left: 'center', width: view.width - 40, itemWidth: 26, itemGap: 18, selectedMode: false,
      textStyle: {color: c.ink, fontSize: 11, fontFamily: charts.frame(view).textStyle.fontFamily}};
    option.grid = {left: 52, right: 18, top: 14, bottom: names + 44, containLabel: false, outerBoundsMode: 'none'};
    option.xAxis = charts.axis(view, {
      min: -0.5, max: sizes.length - 0.5, interval: 1, name: 'training images of each class', nameGap: 28, splitLine: {show: false},
      axisLabel: {color: c.soft, fontSize: 11, customValues: sizes.map(function (size, i) { return i; }),
        formatter: function (value) { return sizes[value] || ''; }}
    });
    var limits = limits_of(lines), marks = charts.ticks(100 * limits[0], 100 * limits[1], 6);
    option.yAxis = charts.axis(view, {min: 100 * limits[0], max: 100 * limits[1], name: 'mean over domains, accuracy in %', nameGap: 36,
      axisTick: {show: false, customValues: marks},
      axisLabel: {color: c.soft, fontSize: 11, customValues: marks, formatter: charts.short_number}});
    option.series = [];
    lines.forEach(function (line, i) {
      var colour = c.series[i % c.series.length], shift = (i - (lines.length - 1) / 2) * apart, points = [];
      line.means.forEach(function (mean, k) {
        points.push(mean === null ? [k + shift, NaN, NaN] : [k + shift, 100 * mean.mean, mean.half === null ? NaN : 100 * mean.half]);
      });
      option.series.push({
        type: 'line', name: line.label, data: points, encode: {x: 0, y: 1}, symbol: shapes[Math.floor(i / c.series.length) % shapes.length],
        symbolSize: line.trains ? 8 : 0, connectNulls: false, lineStyle: {color: colour, width: 1.8, type: line.trains ? 'solid' : 'dashed'},
        itemStyle: {color: colour},
        tooltip: {formatter: function (item) {
          return charts.escaped(line.label) + ', ' + charts.escaped(sizes[item.dataIndex]) + '<br>' + charts.interval_text(line.means[item.dataIndex]);
        }}
      });
      if (!line.trains) return;
      option.series.push({
        type: 'custom', silent: true, clip: true, data: points, encode: {x: 0, y: 1},
        renderItem: function (parameters, api) {
          var half = api.value(2);
          if (!(half > 0)) return null;
          var a = api.coord([api.value(0), api.value(1) - half]), b = api.coord([api.value(0), api.value(1) + half]);
          return {type: 'group', children: [charts.line(a[0], a[1], b[0], b[1], colour, 1.3),
            charts.line(a[0] - 4, a[1], a[0] + 4, a[1], colour, 1.3), charts.line(b[0] - 4, b[1], b[0] + 4, b[1], colour, 1.3)]};
        }
      });
    });
    return {option: option, height: 330 + names};
  };
})(petlabCharts);
