// The one way in which anything becomes part of the page: elements by name, text as text.
// Nothing here or elsewhere parses a string as markup, so nothing from the wire ever is.

/** What may stand in an element. @typedef {Node | string | number | null | undefined | any[]} Child */

/**
 * Make an element. `facts` are attributes; those that begin with "on" are listeners, and
 * `class`, `title`, `role`, `aria-*` and `data-*` are what they are in HTML. Children are nodes or
 * text; null is left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, any>} facts
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(name, facts = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...present(children));
  return node;
}

/**
 * Replace what is in a node.
 * @template {Element} T
 * @param {T} node
 * @param {Child[]} children
 */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
  return node;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
function present(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * The element of the page that has an ID, and is of a kind.
 * @template {HTMLElement} T
 * @overload @param {string} id @param {new () => T} kind @returns {T}
 */
/**
 * @overload @param {string} id @returns {HTMLElement}
 */
export function byId(/** @type {string} */ id, kind = HTMLElement) {
  const node = document.getElementById(id);
  if (node instanceof kind) return node;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/**
 * What is in a node and matches a selector.
 * @param {ParentNode} node
 * @param {string} selector
 * @returns {NodeListOf<HTMLElement>}
 */
export const queryAll = (node, selector) => node.querySelectorAll(selector);

/** A button that copies `text`, and says so. @param {string} text @param {string} what */
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

/** @param {string} text */
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

/**
 * Make of an asynchronous `work` one that runs once at a time: asked meanwhile, it runs once more.
 * @param {() => Promise<any>} work
 */
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

/**
 * Call `work` once in the next frame, however often it is asked for until then.
 * @param {() => void} work
 */
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
