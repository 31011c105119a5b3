// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Makes elements. What a client sent reaches the page only through here, as
 * text nodes and attributes: no file of the page parses HTML.
 *
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag Its name.
 * @param {Record<string, string>} [attributes] By name.
 * @param {...(Node | string)} children Nodes; strings are taken as text.
 * @returns {HTMLElementTagNameMap[K]} The element.
 */
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Makes an element of a picture.
 *
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag Its name.
 * @param {Record<string, string>} [attributes] By name.
 * @param {...Node} children Nodes.
 * @returns {SVGElementTagNameMap[K]} The element.
 */
export function svg(tag, attributes = {}, ...children) {
  const element =
    /** @type {SVGElementTagNameMap[K]} */ (document.createElementNS(SVG, tag));
  set(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Finds an element of index.html.
 *
 * @template {Element} T
 * @param {string} id Its id.
 * @param {new () => T} type Its class.
 * @returns {T} The element.
 */
export function find(id, type) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`Cannot find #${id}`);
}

/**
 * Sets a text, if it is another: an element that is left alone keeps its
 * selection, and costs nothing.
 *
 * @param {Node} node What has the text.
 * @param {string} text The text.
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} element
 * @param {Record<string, string>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) throw new Error(`Cannot set ${name}`);
    element.setAttribute(name, value);
  }
}
