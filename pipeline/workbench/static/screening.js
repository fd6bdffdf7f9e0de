// Screening: include, exclude with a reason, unsure; then the next record.
import { follow, listen, post, say } from "./common.js";

const sheet = document.getElementById("sheet");
const field = (id) => document.getElementById(id);

function reason() {
  const other = field("duplicate");
  const parts = [
    other.value && `duplicate of ${other.value}`,
    field("note").value.trim(),
  ];
  return parts.filter(Boolean).join("; ");
}

function decide(verdict) {
  return async () => {
    const code = field("reason").value;
    if (verdict === "excluded" && !code && !reason()) {
      say("Choose a reason first.", true);
      field("reason").focus();
      return;
    }
    const answer = await post("/api/screen", {
      record_id: sheet.dataset.record, version: Number(sheet.dataset.version), verdict, code, reason: reason(),
    });
    if (!answer) return;
    sheet.dataset.version = answer.version;
    field("word").textContent = answer.word;
    for (const id of ["reason", "duplicate", "note"]) field(id).value = "";
    say(answer.said);
  };
}

const actions = {
  include: decide("included"),
  exclude: decide("excluded"),
  unsure: decide("unsure"),
  undo: decide("undone"),
  nextStudy: () => follow("next", "This is the last record."),
  previousStudy: () => follow("prev", "This is the first record."),
  comment: () => field("note").focus(),
};
sheet.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]");
  if (act) actions[act.dataset.act]();
});
listen(actions);
