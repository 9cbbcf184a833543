"""Plots as SVG, both axes logarithmic, with the standard library alone."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 80, 130, 40, 50
COLOURS = ("#0b62a4", "#b5462a", "#3a7d34")


def decades(values):
    """The powers of ten around `values`, as exponents."""
    return math.floor(math.log10(min(values))), max(math.ceil(math.log10(max(values))),
                                                     math.floor(math.log10(min(values))) + 1)


def power_text(exponent):
    return f"{10 ** exponent:,}" if exponent >= 0 else f"{10 ** exponent:g}"


def draw(title, x_label, y_label, curves):
    """An SVG of [(label, [(x, y)])]; curves without points are left out."""
    curves = [(label, [(x, y) for x, y in points if x > 0 and y > 0]) for label, points in curves]
    curves = [(label, points) for label, points in curves if points]
    if not curves:
        raise ValueError(f"nothing to plot for {title}")
    x_from, x_to = decades([x for _, points in curves for x, _ in points])
    y_from, y_to = decades([y for _, points in curves for _, y in points])

    def at_x(x):
        return LEFT + (math.log10(x) - x_from) / (x_to - x_from) * (WIDTH - LEFT - RIGHT)

    def at_y(y):
        return HEIGHT - BOTTOM - (math.log10(y) - y_from) / (y_to - y_from) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>']
    for exponent in range(x_from, x_to + 1):
        x = at_x(10.0 ** exponent)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{power_text(exponent)}</text>')
    for exponent in range(y_from, y_to + 1):
        y = at_y(10.0 ** exponent)
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{power_text(exponent)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>')
    out.append(f'<text x="14" y="{TOP - 8}">{escape(y_label)}</text>')
    for (label, points), colour in zip(curves, COLOURS):
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        end_x, end_y = points[-1]
        out.append(f'<text x="{at_x(end_x) + 8:.1f}" y="{at_y(end_y) + 4:.1f}" fill="{colour}">{escape(label)}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
