"""Fits an SVG figure into an HTML page: ids of its own, and a name for screen readers."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from markupsafe import Markup

from pipeline.report.plain import visible

_SVG = "{http://www.w3.org/2000/svg}"
#: What only a stand-alone file needs; matplotlib's style rule would reach the whole page.
_ALONE = frozenset({"metadata", "title", "defs"})


def inline_svg(svg: bytes, prefix: str, alt: str) -> Markup:
    """Return a figure of ours as an element of a page.

    Parameters
    ----------
    svg : bytes
        What `canvas.figure_bytes` wrote; its texts are escaped, and stay so.
    prefix : str
        Put before every id, so that two figures on a page share none.
    alt : str
        The text that stands for the figure.
    """
    root = ET.fromstring(svg)  # noqa: S314 - our own figure, not a stranger's XML
    for child in [c for c in root if c.tag.removeprefix(_SVG) in _ALONE]:
        root.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if "id" in element.attrib:
            element.set("id", f"{prefix}-{element.attrib['id']}")
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "width": f"{width * 4 / 3:.0f}",  # CSS pixels in a point
        "height": f"{height * 4 / 3:.0f}",
        "role": "img",
        "aria-label": visible(alt),
    }
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - serialised, so escaped
