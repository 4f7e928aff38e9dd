// Dark or light, and what else a page keeps between two visits.

/** What was stored under a name, null if nothing was. @param {string} name */
export function stored(name) {
  try {
    return localStorage.getItem(`wireproof-${name}`);
  } catch {
    return null; // a page from disk may be denied it
  }
}

/** @param {string} name @param {string} value */
export function store(name, value) {
  try {
    localStorage.setItem(`wireproof-${name}`, value);
  } catch {
    // it is for this page only, then
  }
}

/** Show the page in a theme; as the system has it if none was chosen. */
export function dress(theme = stored("theme")) {
  if (theme) document.documentElement.dataset.theme = theme;
}

/** Change from dark to light, or the other way around. */
export function toggleTheme() {
  const isDark = getComputedStyle(document.documentElement).colorScheme === "dark";
  const next = isDark ? "light" : "dark";
  dress(next);
  store("theme", next);
}
