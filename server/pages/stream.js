import { Log, address, byId, setRunning, setStatus } from "./page.js";

const log = new Log();
let controller = null;

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  read();
});
byId("stop").addEventListener("click", () => controller.abort());

async function read() {
  controller = new AbortController();
  log.restart();
  byId("answer").textContent = "";
  setRunning(true);
  setStatus("waiting");
  try {
    await readBody(await fetch(address("/stream"), { signal: controller.signal }));
    setStatus("complete", "good");
  } catch (error) {
    const stopped = error.name === "AbortError";
    log.add(stopped ? "stopped" : "error", String(error));
    setStatus(stopped ? "stopped" : "error", stopped ? "" : "bad");
  } finally {
    setRunning(false);
  }
}

async function readBody(response) {
  log.add("head", `${response.status} ${response.headers.get("Content-Type")}`);
  setStatus("streaming", "good");
  const reader = response.body.getReader();
  const decoder = new TextDecoder(); // keeps the rest of a character that a chunk border cut
  for (;;) {
    const { done, value } = await reader.read();
    const text = decoder.decode(value, { stream: !done });
    byId("answer").textContent += text;
    if (done) {
      log.add("end", "the last chunk has arrived");
      return;
    }
    log.add(`${value.length} bytes`, JSON.stringify(text));
  }
}
