// What the three clients share: their controls, and a log of what happened when.

export const byId = (id) => document.getElementById(id);

export function setStatus(text, kind = "") {
  const status = byId("status");
  status.textContent = text;
  status.dataset.kind = kind;
}

export function setRunning(running) {
  byId("form").querySelector(".main").disabled = running;
  byId("stop").disabled = !running;
}

// The address of `path` with the delay that was asked for, if one was.
export function address(path) {
  const url = new URL(path, location.href);
  const delay = byId("delay").value;
  if (delay !== "") {
    url.searchParams.set("delay", delay);
  }
  return url;
}

export class Log {
  #list = byId("log");
  #start = performance.now();

  restart() {
    this.#list.replaceChildren();
    this.#start = performance.now();
  }

  // Everything that came over the wire is shown as text, never as markup.
  add(kind, text) {
    const row = document.createElement("li");
    row.dataset.kind = kind;
    const time = document.createElement("time");
    time.textContent = `+${((performance.now() - this.#start) / 1000).toFixed(3)} s`;
    row.append(time, cell("kind", kind), cell("text", text));
    this.#list.append(row);
  }
}

function cell(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
