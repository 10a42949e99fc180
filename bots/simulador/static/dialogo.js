/* A small stand-in for SweetAlert: resolves to true (confirm) or false (cancel); one dialog at a time. */
"use strict";
const ICONS = { success: "✓", error: "×", warning: "!", question: "?", info: "i" };

function dialogo({ icon = "info", title = "", text = "", link = null, confirm = "Aceptar", cancel = null }) {
  document.querySelectorAll(".swal2-container").forEach((old) => old.remove());
  const make = (tag, className, content = "") => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = content;
    return element;
  };
  const container = make("div", "swal2-container");
  const popup = make("div", "swal2-popup swal2-modal swal2-show");
  popup.setAttribute("role", "dialog");
  popup.setAttribute("aria-modal", "true");
  popup.setAttribute("aria-labelledby", "swal2-title");
  const heading = make("h2", "swal2-title", title);
  heading.id = "swal2-title";
  const body = make("div", "swal2-html-container", text);
  body.id = "swal2-html-container";
  if (link) {
    body.append(document.createElement("br"), document.createElement("br"));
    const anchor = make("a", "descarga", link.text);
    anchor.href = link.href;
    anchor.id = link.id;
    anchor.download = "";
    body.append(anchor);
  }
  const actions = make("div", "swal2-actions");
  const yes = make("button", "swal2-confirm swal2-styled", confirm);
  yes.type = "button";
  actions.append(yes);
  return new Promise((resolve) => {
    const close = (answer) => { container.remove(); resolve(answer); };
    yes.addEventListener("click", () => close(true));
    if (cancel) {
      const no = make("button", "swal2-cancel swal2-styled", cancel);
      no.type = "button";
      no.addEventListener("click", () => close(false));
      actions.append(no);
    }
    popup.append(make("div", `swal2-icon swal2-${icon}`, ICONS[icon]), heading, body, actions);
    container.append(popup);
    document.body.append(container);
    yes.focus();
  });
}
