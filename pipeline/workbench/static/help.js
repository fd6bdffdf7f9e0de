// The keys of this browser: shown, changed, switched off.
import { DEFAULTS, keep, listen, say, settings } from "./common.js";

const form = document.getElementById("keys");
const off = document.getElementById("off");

function show() {
  const kept = settings();
  off.checked = kept.off;
  for (const [name, key] of Object.entries(kept.keys)) {
    if (form.elements[name]) form.elements[name].value = key;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const keys = Object.fromEntries(new FormData(form));
  const used = Object.values(keys).filter(Boolean);
  if (new Set(used).size < used.length) {
    say("Not kept: a key stands twice.", true);
    return;
  }
  keep({ off: off.checked, keys });
  say("Kept in this browser.");
});
off.addEventListener("change", () => {
  keep({ ...settings(), off: off.checked });
  say(off.checked ? "Single keys are off." : "Single keys are on.");
});
document.getElementById("defaults").addEventListener("click", () => {
  keep({ off: off.checked, keys: DEFAULTS });
  show();
  say("Defaults kept.");
});
show();
listen({});
