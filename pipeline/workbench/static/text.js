// Where a selection stands in the record's text, in characters as Python counts them.

/** Characters (code points) of a string; JavaScript's own length counts UTF-16 units. */
const count = (string) => [...string].length;

/** Characters from the start of a piece to a place in it. */
function within(piece, node, offset) {
  const range = document.createRange();
  range.setStart(piece, 0);
  range.setEnd(node, offset);
  return count(range.toString());
}

/** {start, end, text} of the selection inside `pane`; null where nothing of it is selected. */
export function selected(pane) {
  const selection = getSelection();
  if (!selection || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const pieces = [...pane.querySelectorAll("[data-at]")].filter((p) => range.intersectsNode(p));
  let start = -1;
  let end = -1;
  let text = "";
  for (const piece of pieces) {
    const whole = piece.textContent;
    const length = count(whole);
    let from = piece.contains(range.startContainer)
      ? within(piece, range.startContainer, range.startOffset) : 0;
    let to = piece.contains(range.endContainer)
      ? within(piece, range.endContainer, range.endOffset) : length;
    if (to <= from) continue;
    const at = Number(piece.dataset.at);
    if (piece.dataset.raw) { // one control character, written out
      from = 0;
      to = length;
    }
    if (start < 0) start = at + (piece.dataset.raw ? 0 : from);
    end = at + (piece.dataset.raw ? 1 : to);
    text += [...whole].slice(from, to).join("");
  }
  if (start < 0) return null;
  const front = count(text) - count(text.trimStart());
  const back = count(text) - count(text.trimEnd());
  text = text.trim();
  return text ? { start: start + front, end: end - back, text } : null;
}
