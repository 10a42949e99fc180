/* A small stand-in for jconfirm: shows a box with buttons and resolves to the text of the one that was pressed. */
"use strict";
function confirmar({ title = "", content = "", type = "blue", buttons = ["Aceptar"] }) {
  const make = (tag, className, text = "") => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };
  const root = make("div", `jconfirm jconfirm-modern jconfirm-open jconfirm-type-${type}`);
  const box = make("div", `jconfirm-box jconfirm-type-${type}`);
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  const actions = make("div", "jconfirm-buttons");
  box.append(make("div", "jconfirm-title", title), make("div", "jconfirm-content", content), actions);
  root.append(box);
  return new Promise((resolve) => {
    buttons.forEach((text, position) => {
      const button = make("button", `btn ${position === 0 ? "btn-blue" : "btn-default"}`, text);
      button.type = "button";
      button.addEventListener("click", () => { root.remove(); resolve(text); });
      actions.append(button);
    });
    document.body.append(root);
    actions.firstElementChild.focus();
  });
}
