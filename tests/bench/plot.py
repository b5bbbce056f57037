"""The benchmark's ratios as a picture: one row a work, how many times as fast petlab is as each side."""

import math
from html import escape

SIDES = (("published", "published way", "#4269d0"), ("strong", "strong peer", "#efb118"))
WIDTH, LEFT, RIGHT, ROW, TOP = 900, 420, 90, 46, 58


def svg(facts, results):
    """Bars from 1 (as fast as petlab) to the median ratio on a logarithmic axis, with the smallest and
    the largest ratio as a line and the goal as a mark."""
    values = [v for r in results for side, *_ in SIDES for v in r["ratio"][side]]
    values += [goal for r in results for goal in r["goals"]]
    low, high = min([0.5, *values]), max([2.0, *values]) * 1.1

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / low) / math.log(high / low)

    height = TOP + ROW * len(results) + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
           f'font-size="12" role="img"><title>How many times as fast petlab is</title>',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           f'<text x="16" y="22" font-size="15">How many times as fast petlab is ({escape(facts["model"])}, '
           f'{facts["threads"]} threads)</text>']
    for at, (_, label, colour) in enumerate(SIDES):
        out.append(f'<rect x="{LEFT + 150 * at}" y="34" width="12" height="12" fill="{colour}"/>'
                   f'<text x="{LEFT + 150 * at + 18}" y="44">as the {label}</text>')
    bottom = TOP + ROW * len(results)
    for tick in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128):
        if low <= tick <= high:
            out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{bottom}" stroke="#ccc"/>'
                       f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}x</text>')
    for at, r in enumerate(results):
        top = TOP + ROW * at
        name = r["title"] if len(r["title"]) < 66 else r["title"][:64] + "..."
        out.append(f'<text x="{LEFT - 10}" y="{top + 26}" text-anchor="end">{escape(name)}</text>')
        for line, (side, _, colour) in enumerate(SIDES):
            middle, smallest, largest = r["ratio"][side]
            y = top + 6 + 18 * line
            start, end = sorted((x(1.0), x(middle)))
            out.append(f'<rect x="{start:.1f}" y="{y}" width="{max(end - start, 1):.1f}" height="14" fill="{colour}"/>'
                       f'<line x1="{x(smallest):.1f}" x2="{x(largest):.1f}" y1="{y + 7}" y2="{y + 7}" stroke="black"/>'
                       f'<text x="{max(end, x(largest)) + 6:.1f}" y="{y + 11}">{middle:.2f}</text>')
            if r["goals"]:
                goal = x(r["goals"][line])
                out.append(f'<line x1="{goal:.1f}" x2="{goal:.1f}" y1="{y - 2}" y2="{y + 16}" stroke="#c00" '
                           'stroke-width="2"/>')
    out.append(f'<text x="{WIDTH - 16}" y="44" text-anchor="end" fill="#c00">red: goal</text></svg>')
    return "\n".join(out) + "\n"
