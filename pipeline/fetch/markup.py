"""Turns PubMed's and EndNote's inline markup into plain text without changing a number.

- ``10<sup>3</sup>`` -> ``10^3``: a superscript with a digit is set off by ``^``, never ``103``;
  one without a digit (``CD4<sup>+</sup>``, ``1<sup>st</sup>``) is kept as it is.
- ``IC<sub>50</sub>`` -> ``IC₅₀``: the digits of a subscript become Unicode subscripts, which no
  pattern reads as a number; its letters are kept (``C<sub>max</sub>`` -> ``Cmax``).
- MathML keeps powers (``R^2``), indices, roots and fractions (``a/b``).
- Every other tag is dropped and its text kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from pipeline.fetch.fields import clean

#: The line ends beyond ASCII.
_RARE = ("\x85", "\u2028", "\u2029")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def plain_text(node: etree._Element | None) -> str:
    """Return the text of an element on one line, "" for None."""
    if node is None:
        return ""
    text = _text(node) if len(node) else node.text or ""
    # Most texts are one word, the others one line: looking is quicker than cleaning.
    return text if text.isalnum() else _one_line(text)


def _one_line(text: str) -> str:
    """`clean`, quicker for a text that has none of the blanks that it changes."""
    text = text.strip(" \t\n\r")
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\x7f" in text:
        return clean(text)
    rare = not text.isascii() and any(blank in text for blank in _RARE)
    return clean(text) if rare else text


def _text(node: etree._Element) -> str:
    """The text of an element without its tail; tags that have a rule are put through it."""
    if not len(node):
        return node.text or ""
    return (node.text or "") + "".join([_marked(c) + (c.tail or "") for c in node])


def _marked(node: etree._Element) -> str:
    """A child's text, changed as its tag asks."""
    if rule := _RULES.get(node.tag):  # most have no namespace
        return rule(_text(node))
    if node.tag is etree.Entity:  # undeclared here, and never looked up: kept as it is written
        return node.text or ""
    if not isinstance(node.tag, str):  # a comment or processing instruction
        return ""
    name = node.tag.rpartition("}")[2]
    if name == "math":
        return _math(node)
    if name == "style":  # EndNote's
        name = _FACES.get(node.get("face", ""), "")
    return _RULES.get(name, str)(_text(node))


def _superscript(text: str) -> str:
    """Set off by "^" what would otherwise run into the number before it."""
    number = text.isdigit() or any(c.isdigit() for c in text)
    return f"^{text.strip()}" if number else text


def _subscript(text: str) -> str:
    """Digits as Unicode subscripts."""
    return text.translate(_SUBSCRIPTS)


_RULES: Mapping[str, Callable[[str], str]] = {"sup": _superscript, "sub": _subscript}
_FACES = {"superscript": "sup", "subscript": "sub"}


def _math(node: etree._Element) -> str:
    """A MathML element as a line of text."""
    if not isinstance(node.tag, str):
        return ""
    parts = [_math(child) for child in node]
    name = node.tag.rpartition("}")[2]
    rule = _MATH.get(name)
    if rule is not None and len(parts) >= rule[0]:
        return rule[1](*parts[: rule[0]])
    if name == "mfenced":
        return f"{node.get('open', '(')}{','.join(parts)}{node.get('close', ')')}"
    return (node.text or "").strip() + "".join(parts)


def _grouped(text: str) -> str:
    """Parentheses around what is more than one number, name or sign."""
    one = len(text) < 2 or text.lstrip("-−").replace(".", "").isalnum()
    return text if one else f"({text})"


#: MathML element -> (number of children it takes, how they are written).
_MATH: Mapping[str, tuple[int, Callable[..., str]]] = {
    "msup": (2, lambda base, power: f"{_grouped(base)}^{_grouped(power)}"),
    "msub": (2, lambda base, index: base + _subscript(index)),
    "msubsup": (3, lambda base, index, power: f"{base}{_subscript(index)}^{_grouped(power)}"),
    "mfrac": (2, lambda over, under: f"{_grouped(over)}/{_grouped(under)}"),
    "msqrt": (1, lambda inside: f"√({inside})"),
}
