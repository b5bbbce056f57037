// Mean ranks of the rows over the domains.
(function (charts) {
  'use strict';

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
      parts.push({type: 'polyline', silent: true, shape: {points: [[x, 34], [x, y], [end, y]]},
        style: {stroke: c.soft, lineWidth: 0.8, fill: 'none'}});
      text(ranks.rows[index] + ' ' + ranks.ranks[index].toFixed(2), first ? end - 4 : end + 4, y, first ? 'right' : 'left', c.ink, 11);
    });
    option.tooltip.show = false;
    option.xAxis = {show: false, min: 0, max: 1, type: 'value'};
    option.yAxis = {show: false, min: 0, max: 1, type: 'value'};
    option.series = [{
      type: 'custom', silent: true, clip: false, data: [[0, 0]], renderItem: function () { return {type: 'group', children: parts}; }
    }];
    return {option: option, height: height};
  };
})(petlabCharts);
