// Small helpers to build the page. No text is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";
let sprite = "";

export function setSprite(address) {
  sprite = address;
}

/** el("button.big", {on: {click}, disabled: true, data: {name: "x"}}, ...children); null children are left out. */
export function el(what, options = {}, ...children) {
  const [name, ...classes] = what.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(options ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (key === "data") Object.assign(made.dataset, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function icon(name, classes = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", classes);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

export function button(classes, name, words, act, options = {}) {
  return el(`button.${classes}`, { type: "button", ...options, on: { click: act } }, name && icon(name), el("span", {}, words));
}
