// Adjudication: one of the values, or another with its reason.
import { follow, listen, post, say } from "./common.js";

const sheet = document.getElementById("sheet");

async function settle(box, said) {
  const answer = await post("/api/adjudicate", {
    record_id: sheet.dataset.record, field: box.dataset.path, version: Number(box.dataset.version), ...said,
  });
  if (!answer) return;
  box.remove();
  say(answer.said);
  (sheet.querySelector(".conflict button") ?? document.getElementById("main")).focus();
}

sheet.addEventListener("click", (event) => {
  const button = event.target.closest("[data-verdict]");
  if (!button) return;
  const box = button.closest(".conflict");
  const reason = box.querySelector('[name="reason"]').value;
  settle(box, { value: button.dataset.value, none: button.dataset.verdict === "none", reason });
});
sheet.addEventListener("submit", (event) => {
  event.preventDefault();
  const { value, reason } = Object.fromEntries(new FormData(event.target));
  if (!value.trim()) say("Write the value first.", true);
  else settle(event.target.closest(".conflict"), { value, reason });
});
listen({
  nextStudy: () => follow("next", "This is the last study."),
  previousStudy: () => follow("prev", "This is the first study."),
});
