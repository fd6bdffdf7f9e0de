"""Sizes, colours and line styles that all charts share."""

from __future__ import annotations

#: The plot area, in points.
WIDTH, HEIGHT = 430.0, 300.0
MARGIN, GAP = 12.0, 6.0
TITLE, TITLE_LINE = 11.0, 15.0
SIZE, SMALL, TICK = 9.0, 7.5, 8.0
LINE, FOOT_LINE, KEY_LINE = 12.0, 10.5, 13.0
#: Radius of a study's point where points are all alike.
RADIUS = 3.2
#: Side of the arrowhead that stands for a point beyond an axis.
ARROW = 7.0
#: A second colour: as far from BLUE for the colour-blind as in grey.
ORANGE = "#d9730d"
DOTS, DASHES = (1.2, 1.8), (5.0, 2.5)
#: Letters of a study's name beside its point, and of a name of an axis.
NAME_LIMIT, AXIS_LIMIT = 28, 90
