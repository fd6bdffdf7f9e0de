// The extraction check: marks and fields, keys, edits, evidence.
import { element, follow, hints, listen, post, say } from "./common.js";
import { selected } from "./text.js";

const sheet = document.getElementById("sheet");
const pane = document.getElementById("text");
const record = sheet.dataset.record;
const mode = sheet.dataset.address; // where decisions of this page go
const all = () => [...sheet.querySelectorAll(".field")];
let now = null;
let picked = null; // the selection before a click on a button took it away

function choose(field, { focus = true, scroll = true } = {}) {
  if (!field) return;
  for (const other of sheet.querySelectorAll(".field.now")) {
    other.classList.remove("now");
    other.removeAttribute("aria-current");
    other.tabIndex = -1;
  }
  now = field;
  field.classList.add("now");
  field.setAttribute("aria-current", "true");
  field.tabIndex = 0;
  if (focus) field.focus({ preventScroll: true });
  if (scroll) field.scrollIntoView({ block: "nearest" });
  for (const mark of pane.querySelectorAll("mark")) {
    mark.classList.toggle("on", mark.dataset.fields.split(" ").includes(field.id));
  }
  const first = pane.querySelector("mark.on");
  if (first && scroll) show(first);
}

/** Bring a mark into the pane's view, without moving the page. */
function show(mark) {
  const box = mark.getBoundingClientRect();
  const frame = pane.getBoundingClientRect();
  if (box.top < frame.top || box.bottom > frame.bottom) {
    pane.scrollTop += box.top - frame.top - frame.height / 3;
  }
}

function step(by) {
  const list = all();
  const at = list.indexOf(now);
  choose(list[Math.min(Math.max(at + by, 0), list.length - 1)] ?? list[0]);
}

/** The fields of a mark, in turn: a second click goes to the next. */
function ofMark(mark) {
  const ids = mark.dataset.fields.split(" ");
  const at = now ? ids.indexOf(now.id) : -1;
  choose(document.getElementById(ids[(at + 1) % ids.length]));
}

let last = Promise.resolve(); // decisions are sent one after the other
const sending = new Set();

/** Send a decision on a field and show what came of it; a key held down decides once. */
function decide(field, said) {
  const { path, version } = field.dataset;
  if (sending.has(path)) return;
  sending.add(path);
  field.querySelector("form")?.remove();
  choose(field, { scroll: false });
  last = last.then(async () => {
    const answer = await post(mode, {
      record_id: record, field: path, version: Number(version), ...said,
    });
    sending.delete(path);
    if (answer) refresh(answer, now?.dataset.path ?? path);
  });
}

/** Put what the server rendered in the place of what stood there; stay on the field `path`. */
function refresh(answer, path) {
  for (const [id, html] of Object.entries(answer.parts)) {
    const old = document.getElementById(id);
    if (old) old.replaceWith(element(html));
  }
  hints();
  const field = all().find((f) => f.dataset.path === path) ?? all()[0];
  choose(field, { scroll: false });
  say(answer.said);
}

const NEED = "Choose a field first: j, or a click.";

function simple(verdict) {
  return () => {
    if (!now) say(NEED);
    else if (now.dataset.mine === verdict) say("You have said so already.");
    else if (verdict === "accepted" && now.dataset.state === "empty") {
      say("There is nothing to accept: enter a value, or say that it is not reported.");
    }
    else decide(now, { verdict });
  };
}

/** Open a form in the field; Enter saves, Esc cancels. */
function form(field, rows, save) {
  sheet.querySelector("form")?.remove();
  const made = document.getElementById("edit").content.firstElementChild.cloneNode(true);
  const acts = made.querySelector(".acts");
  for (const [name, text, input] of rows) {
    const label = document.createElement("label");
    label.htmlFor = `edit-${name}`;
    label.textContent = text;
    input.id = `edit-${name}`;
    input.name = name;
    acts.before(label, input);
  }
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    save(Object.fromEntries(new FormData(made)));
  });
  const close = () => {
    made.remove();
    if (field.matches(".field")) choose(field);
  };
  made.querySelector("[data-cancel]").addEventListener("click", close);
  made.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); close(); }
  });
  field.append(made);
  rows[0][2].focus();
  rows[0][2].select?.();
  made.scrollIntoView({ block: "nearest" });
}

function input(value, placeholder = "") {
  const made = document.createElement("input");
  made.value = value;
  made.placeholder = placeholder;
  made.autocomplete = "off";
  return made;
}

function fixed(value) {
  const made = input(value);
  made.readOnly = true;
  return made;
}

function choice(options, value) {
  const made = document.createElement("select");
  for (const option of options) made.add(new Option(option, option, false, option === value));
  return made;
}

function edit(evidence = null) {
  if (!now) { say(NEED); return; }
  const field = now;
  choose(field);
  const { kind, value, options } = field.dataset;
  const rows = [];
  let said = (typed) => typed.value;
  if (kind === "row") {
    const words = JSON.parse(options);
    const held = value ? JSON.parse(value) : {};
    for (const [name, list] of Object.entries(words)) {
      rows.push([name, name, list.length ? choice(list, held[name]) : input(held[name] ?? "")]);
    }
    said = (typed) => Object.fromEntries(Object.keys(words).map((name) => [name, typed[name]]));
  } else if (options) {
    rows.push(["value", "Value", choice(JSON.parse(options), value)]);
  } else {
    rows.push(["value", "Value", input(value || evidence?.text || "")]);
    if (kind === "number") rows[0][2].inputMode = "decimal";
  }
  if (evidence) rows.push(["quote", "Evidence", fixed(evidence.text)]);
  rows.push(["reason", "Reason", input("", "optional")]);
  form(field, rows, (typed) => decide(field, {
    verdict: "corrected", value: said(typed), reason: typed.reason, evidence,
  }));
}

function withEvidence() {
  const found = selected(pane) ?? picked;
  if (!found) say("Select the words in the text first.");
  else edit(found);
}

function comment() {
  if (!now) { say(NEED); return; }
  const field = now;
  form(field, [["reason", "Comment", input("")]], (typed) => decide(field, {
    verdict: "comment", reason: typed.reason,
  }));
}

async function finish(button) {
  const answer = await post("/api/decide", {
    record_id: record, field: "study", version: Number(button.dataset.version), verdict: "finished",
  });
  if (answer) location.reload();
}

/** A value that the extractor did not read, for a field that is not shown. */
function add(button) {
  const names = document.createElement("select");
  for (const name of button.dataset.add.split(" ")) {
    const path = button.dataset.row ? `${button.dataset.row}.${name}` : name;
    names.add(new Option(name.replace(/[_.]/g, " "), path));
  }
  const evidence = picked;
  const rows = [["field", "Field", names], ["value", "Value", input(evidence?.text ?? "")]];
  if (evidence) rows.push(["quote", "Evidence", fixed(evidence.text)]);
  rows.push(["reason", "Reason", input("", "optional")]);
  form(button.closest(".group"), rows, async (typed) => {
    const answer = await post("/api/decide", {
      record_id: record, field: typed.field, version: 0, verdict: "corrected",
      value: typed.value, reason: typed.reason, evidence,
    });
    if (answer) refresh(answer, typed.field);
  });
}

/** An arm, dose or outcome that the extractor did not read; it needs its phrase. */
function addRow(button) {
  const evidence = picked;
  if (!evidence) { say("Select the words in the text first.", true); return; }
  const words = JSON.parse(button.dataset.words);
  const rows = Object.entries(words).map(([name, options]) => [
    name, name, options.length ? choice(options, "") : input(""),
  ]);
  rows[0][2].value = evidence.text;
  rows.push(["quote", "Evidence", fixed(evidence.text)]);
  form(button.closest(".more-rows"), rows, async (typed) => {
    const said = Object.fromEntries(Object.keys(words).map((name) => [name, typed[name]]));
    const answer = await post("/api/row", {
      record_id: record, kind: button.dataset.rows, words: said, evidence,
    });
    if (answer) refresh(answer, answer.field);
  });
}

const actions = {
  next: () => step(1),
  previous: () => step(-1),
  nextStudy: () => follow("next", "This is the last study."),
  previousStudy: () => follow("prev", "This is the first study."),
  accept: simple("accepted"),
  reject: simple("rejected"),
  notReported: simple("not_reported"),
  undo: simple("undone"),
  edit: () => edit(),
  evidence: withEvidence,
  comment,
};

document.addEventListener("selectionchange", () => {
  const found = selected(pane);
  if (found) picked = found;
});
pane.addEventListener("mousedown", () => { picked = null; });
pane.addEventListener("click", (event) => {
  const mark = event.target.closest("mark");
  if (mark && getSelection().isCollapsed) ofMark(mark);
});
pane.addEventListener("keydown", (event) => {
  const mark = event.target.closest("mark");
  if (mark && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    ofMark(mark);
  }
});
sheet.addEventListener("click", (event) => {
  const field = event.target.closest(".field");
  const act = event.target.closest("[data-act]");
  if (event.target.id === "finish") finish(event.target);
  if (event.target.dataset.add) add(event.target);
  if (event.target.dataset.rows) addRow(event.target);
  if (!field || event.target.closest("form")) return;
  if (field !== now) choose(field, { focus: !act });
  if (act) actions[act.dataset.act]();
});
sheet.addEventListener("focusin", (event) => {
  const field = event.target.closest(".field");
  if (field && field !== now) choose(field, { focus: false });
});
listen(actions);
const wanted = document.getElementById(location.hash.slice(1))?.closest(".field");
choose(wanted || all().find((f) => f.dataset.state === "suggested") || all()[0], { focus: false, scroll: Boolean(wanted) });
