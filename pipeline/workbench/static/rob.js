// Risk of bias: each answer is saved when it is given; nothing is judged here.
import { follow, listen, post, say } from "./common.js";

const sheet = document.getElementById("sheet");
sheet.addEventListener("change", async (event) => {
  const field = event.target.closest("[data-field]");
  if (!field) return;
  const answer = await post("/api/rob", {
    record_id: sheet.dataset.record, field: field.dataset.field,
    version: Number(field.dataset.version), value: field.value,
  });
  if (!answer) return;
  field.dataset.version = answer.version;
  say(answer.said);
});
listen({
  nextStudy: () => follow("next", "This is the last study."),
  previousStudy: () => follow("prev", "This is the first study."),
});
