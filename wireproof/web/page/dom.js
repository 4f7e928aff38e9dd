// The one way in which anything becomes part of the page: elements by name, text as text.
// Nothing here or elsewhere parses a string as markup, so nothing from the wire ever is.

/**
 * Make an element. `facts` are attributes; those that begin with "on" are listeners, and
 * `class`, `title`, `role`, `aria-*` and `data-*` are what they are in HTML. Children are nodes or
 * text; null is left out.
 */
export function el(name, facts = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** Replace what is in a node. */
export function fill(node, ...children) {
  node.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
  );
  return node;
}

export const byId = (id) => document.getElementById(id);

/** A button that copies `text`, and says so. */
export function copyButton(text, what) {
  const button = el(
    "button",
    { class: "copy", type: "button", title: `Copy ${what}` },
    `Copy ${what}`,
  );
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    button.textContent = (await copy(text)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = `Copy ${what}`), 1500);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page from disk may have no clipboard of its own: select the text, and ask for the key.
    const area = el("textarea", { class: "offscreen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** Make of an asynchronous `work` one that runs once at a time: asked meanwhile, it runs once more. */
export function oneAtATime(work) {
  let isRunning = false;
  let isAsked = false;
  return async () => {
    isAsked = true;
    if (isRunning) return;
    isRunning = true;
    try {
      while (isAsked) {
        isAsked = false;
        await work();
      }
    } finally {
      isRunning = false;
    }
  };
}

/** Call `work` once in the next frame, however often it is asked for until then. */
export function oncePerFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
