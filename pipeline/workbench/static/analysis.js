// The preview: keep a choice of studies as a named sensitivity analysis.
import { listen, post, say } from "./common.js";

const form = document.getElementById("choose");
document.getElementById("keep").addEventListener("click", async () => {
  const chosen = [...form.querySelectorAll('[name="in"]')];
  const name = document.getElementById("name").value.trim();
  if (!name) { say("Write its name first.", true); return; }
  const answer = await post("/api/sensitivity", {
    question: form.dataset.question, name, without: chosen.filter((c) => !c.checked).map((c) => c.value),
  });
  if (answer) location.reload();
});
listen({});
