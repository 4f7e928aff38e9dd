import { byId } from "./page.js";

const response = await fetch("/scenarios");
const { raw_port: rawPort, scenarios } = await response.json();

for (const { transport, name, path, on, summary } of scenarios) {
  const row = byId("scenarios").insertRow();
  for (const text of [transport, name]) {
    row.insertCell().textContent = text;
  }
  const url = new URL(path, location.href);
  if (on === "raw") {
    url.port = rawPort;
  }
  row.insertCell().append(transport === "websocket" ? webSocketAddress(url) : link(url));
  row.insertCell().textContent = summary;
}

function link(url) {
  const anchor = document.createElement("a");
  anchor.href = url.href;
  anchor.className = "mono";
  anchor.textContent = shown(url);
  return anchor;
}

function webSocketAddress(url) {
  const code = document.createElement("code");
  code.textContent = shown(url);
  return code;
}

function shown(url) {
  return (url.port === location.port ? "" : `:${url.port}`) + url.pathname + url.search;
}
