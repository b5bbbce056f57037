// Charts of one run that a reader chose: accuracy of its classes, and its confusions.
(function (charts) {
  'use strict';

  // view.run: {classes, right, total} counts of the classes.
  charts.draw.class_accuracy = function (study, view) {
    var c = charts.colours(view), option = charts.frame(view), run = view.run;
    var items = run.classes.map(function (name, i) { return {name: name, right: run.right[i], total: run.total[i]}; })
      .filter(function (item) { return item.total > 0; })
      .sort(function (a, b) { return a.right / a.total - b.right / b.total || b.total - a.total; });
    var step = 17, columns = Math.max(1, Math.min(4, Math.floor(view.width / 250)));
    var rows = Math.ceil(items.length / columns), layout = charts.tiles(columns, view.width, view.width / columns - 12, rows * step + 8, 12);
    option.grid = [];
    option.xAxis = [];
    option.yAxis = [];
    option.series = [];
    for (var i = 0; i < columns; ++i) {
      var part = items.slice(i * rows, (i + 1) * rows);
      if (part.length === 0) continue;
      var at = layout.panels[i], names = Math.min(110, 0.4 * at.width);
      option.grid.push({left: at.x + names, top: 4, width: at.width - names - 44, height: part.length * step,
        containLabel: false, outerBoundsMode: 'none'});
      option.xAxis.push(charts.axis(view, {gridIndex: i, min: 0, max: 1, splitNumber: 2, axisLabel: {show: false}, axisLine: {show: false}}));
      option.yAxis.push(charts.axis(view, {
        gridIndex: i, type: 'category', inverse: true, data: part.map(function (item) { return item.name; }), splitLine: {show: false},
        axisLabel: {color: c.ink, fontSize: 11, interval: 0, width: names - 8, overflow: 'truncate'}
      }));
      option.series.push({
        type: 'bar', xAxisIndex: i, yAxisIndex: i, barWidth: 10, itemStyle: {color: c.good}, showBackground: true, backgroundStyle: {color: c.band},
        data: part.map(function (item) { return {value: item.right / item.total, item: item}; }),
        label: {show: true, position: 'right', color: c.soft, fontSize: 10, formatter: function (bar) {
          return bar.data.item.right + '/' + bar.data.item.total;
        }},
        tooltip: {formatter: function (bar) {
          return charts.escaped(bar.data.item.name) + '<br>' + charts.percent(bar.data.value) + ' % (' +
            bar.data.item.right + ' of ' + bar.data.item.total + ')';
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
          style: {fill: charts.mixed(c.middle, own ? c.high : c.low, 0.15 + 0.85 * share)}};
      }
    }];
    return {option: option, height: (labelled ? 90 : 30) + box + 14};
  };
})(petlabCharts);
