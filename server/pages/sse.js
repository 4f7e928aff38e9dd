import { Log, address, byId, setRunning, setStatus } from "./page.js";

const log = new Log();
let source = null;

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  open();
});
byId("stop").addEventListener("click", () => end("stopped", "closed by this page"));

function open() {
  log.restart();
  byId("answer").textContent = "";
  setRunning(true);
  setStatus("connecting");
  source = new EventSource(address(byId("path").value));
  source.addEventListener("open", () => {
    log.add("connected", "");
    setStatus("streaming", "good");
  });
  source.addEventListener("message", (event) => {
    byId("answer").textContent += event.data;
    log.add(`id ${event.lastEventId}`, JSON.stringify(event.data));
  });
  source.addEventListener("done", (event) => {
    log.add(`id ${event.lastEventId}`, JSON.stringify(event.data));
    end("complete", "this page closes, or the browser would come back for more", "good");
  });
  source.addEventListener("error", lost);
}

// The browser reconnects by itself, with the last id, unless the server told it to stay away.
function lost() {
  if (source.readyState === EventSource.CONNECTING) {
    log.add("error", "connection lost: the browser comes back");
    setStatus("reconnecting", "bad");
  } else {
    log.add("error", "the server refused");
    setRunning(false);
    setStatus("error", "bad");
  }
}

function end(status, why, kind = "") {
  source.close();
  log.add("closed", why);
  setRunning(false);
  setStatus(status, kind);
}
