// SPDX-License-Identifier: Apache-2.0
// Makes elements. Nothing here or elsewhere turns text into markup: what comes from outside can only ever be text.

/** element('a', {class: 'tool', href: '#/', onclick: f}, 'Circuits', other_element): null and false attributes are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const drawing = 'http://www.w3.org/2000/svg';

/** A drawing of 16 by 16 from paths: [{d, fill?, stroke?}]. */
export function picture(paths) {
  const made = document.createElementNS(drawing, 'svg');
  made.setAttribute('viewBox', '0 0 16 16');
  made.setAttribute('aria-hidden', 'true');
  made.classList.add('picture');
  for (const attributes of paths) {
    const path = document.createElementNS(drawing, 'path');
    for (const [name, value] of Object.entries(attributes)) path.setAttribute(name, value);
    made.append(path);
  }
  return made;
}

/** Sets the text only when it differs: what does not change costs no layout. */
export function set_text(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets an attribute, or removes it when the value is null. */
export function set_attribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
