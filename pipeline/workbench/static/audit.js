// The audit log: take back an own decision, which is a new entry.
import { listen, post } from "./common.js";

document.getElementById("main").addEventListener("click", async (event) => {
  const button = event.target.closest("[data-event]");
  if (button && await post("/api/undo", { event_id: button.dataset.event })) location.reload();
});
listen({});
