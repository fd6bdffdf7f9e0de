// Import: a file of decisions, sent as it is.
import { listen, post, say } from "./common.js";

document.getElementById("import")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = document.getElementById("file").files;
  if (!file) { say("Choose a file first.", true); return; }
  const answer = await post("/api/import", file, "application/x-ndjson");
  if (answer) say(answer.said);
});
listen({});
