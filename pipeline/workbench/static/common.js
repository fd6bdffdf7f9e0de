// What all pages share: writes, the status line, keys.

const token = document.querySelector('meta[name="token"]')?.content ?? "";

/** Say something in the status line; `failed` makes it an alert. */
export function say(text, failed = false) {
  const line = document.getElementById(failed ? "alert" : "status");
  const other = document.getElementById(failed ? "status" : "alert");
  if (!line || !other) return;
  other.textContent = "";
  line.textContent = "";
  requestAnimationFrame(() => { line.textContent = text; });
}

/** Send a write; the answer's data, or null after saying that nothing was saved. */
export async function post(address, data, type = "application/json") {
  let answer;
  try {
    answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": type, "x-evipool-token": token },
      body: type === "application/json" ? JSON.stringify(data) : data,
    });
  } catch {
    say("Not saved: the server does not answer.", true);
    return null;
  }
  if (answer.ok) return answer.json();
  let said = "";
  try {
    said = (await answer.json()).detail;
  } catch {
    said = answer.statusText;
  }
  if (typeof said !== "string") said = "the value is not of the kind wanted.";
  say(`Not saved: ${said}`, true);
  return null;
}

/** The element of a fragment that the server rendered; its texts are escaped there. */
export function element(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  return holder.content.firstElementChild;
}

// Keys

const STORE = "evipool.keys";
export const DEFAULTS = {
  next: "j", previous: "k", nextStudy: "n", previousStudy: "p", accept: "a", edit: "e",
  reject: "x", notReported: "0", undo: "u", evidence: "s", comment: "c", dashboard: "g d",
  search: "/", help: "?", include: "1", exclude: "2", unsure: "3",
};

/** The reader's keys: {off, keys}; what the browser keeps laid over the defaults. */
export function settings() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(STORE)) ?? {};
  } catch { /* not ours */ }
  return { off: kept.off === true, keys: { ...DEFAULTS, ...kept.keys } };
}

export function keep(changed) {
  localStorage.setItem(STORE, JSON.stringify(changed));
}

let begun = "";

/** Run the action of a key; nothing while the reader writes, or with Ctrl, Alt or Meta. */
export function listen(actions) {
  const all = {
    dashboard: () => { location.href = "/"; },
    help: () => { location.href = "/help"; },
    search: () => { document.getElementById("search")?.focus(); },
    ...actions,
  };
  document.addEventListener("keydown", (event) => {
    const { off, keys } = settings();
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (off || writing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key.length > 1) { begun = ""; return; }
    const typed = begun ? `${begun} ${event.key}` : event.key;
    const action = Object.keys(all).find((name) => keys[name] === typed);
    if (action) {
      begun = "";
      event.preventDefault();
      all[action]();
    } else {
      const opens = Object.values(keys).some((key) => key.startsWith(`${typed} `));
      begun = opens ? typed : "";
    }
  });
  hints();
}

/** Print each action's key where the page names it. */
export function hints() {
  const { off, keys } = settings();
  for (const hint of document.querySelectorAll("[data-key]")) {
    hint.textContent = off ? "" : keys[hint.dataset.key] ?? "";
  }
}

/** Follow the link with that rel, or say that there is none. */
export function follow(rel, missing) {
  const link = document.querySelector(`a[rel~="${rel}"]`);
  if (link) location.href = link.href;
  else say(missing);
}
