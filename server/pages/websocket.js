import { Log, address, byId, setRunning, setStatus } from "./page.js";

const log = new Log();
let socket = null;

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
byId("stop").addEventListener("click", () => socket.close(1000));
byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  send(byId("text").value);
  byId("text").value = "";
});

function connect() {
  log.restart();
  setRunning(true);
  setStatus("connecting");
  const url = address("/ws");
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    log.add("connected", socket.extensions || "no extensions");
    setStatus("connected", "good");
    setTalking(true);
  });
  socket.addEventListener("message", (event) => log.add("received", JSON.stringify(event.data)));
  socket.addEventListener("error", () => log.add("error", "the connection failed"));
  socket.addEventListener("close", closed);
}

function send(text) {
  socket.send(text);
  log.add("sent", JSON.stringify(text));
}

function closed(event) {
  log.add("closed", `${event.code} ${event.reason}`);
  setStatus(event.wasClean ? "closed" : "error", event.wasClean ? "" : "bad");
  setRunning(false);
  setTalking(false);
}

function setTalking(talking) {
  byId("text").disabled = !talking;
  byId("send").disabled = !talking;
  if (talking) {
    byId("text").focus();
  }
}
