/* The answer to an objection: count of characters, what a decision asks for, one key to accept. Everything works
   without it; nothing here decides what is allowed. */
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const count = new Intl.NumberFormat("es-CO");

  function counter(form) {
    const line = $("[data-cuenta]", form);
    const field = line && form.elements[line.dataset.cuenta];
    if (!field) return;
    const limit = Number(line.dataset.tope) || 0;
    const told = line.textContent.trim();
    const draw = () => {
      /* As the payers count: one per letter, however it is kept. */
      const used = Array.from(field.value.normalize("NFC")).length;
      const over = limit > 0 && used > limit;
      line.textContent = limit
        ? `${count.format(used)} de ${count.format(limit)} caracteres${over ? ": al pagador irá un resumen y el texto completo en un anexo" : ""}`
        : `${count.format(used)} caracteres`;
      line.classList.toggle("pasada", over);
      if (told) line.title = told;
    };
    field.addEventListener("input", draw);
    draw();
  }

  function conditional(form) {
    const parts = $$("[data-solo]", form);
    const draw = () => {
      const chosen = $("input[name=decision]:checked, input[name$=resultado]:checked", form)?.value;
      for (const one of parts) one.hidden = one.dataset.solo !== chosen;
    };
    for (const one of $$("input[type=radio]", form)) one.addEventListener("change", draw);
    draw();
  }

  document.addEventListener("focusin", (event) => {
    /* The key «a» focuses the box of accepting: choosing it is what was meant. */
    const box = event.target;
    if (box.matches?.("input[type=radio][data-key]") && !box.checked && box.dataset.key === "a") {
      box.checked = true;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const form = event.target.closest?.("form[data-respuesta]");
    const button = form && $("button[value=terminar]", form);
    if (button) {
      event.preventDefault();
      form.requestSubmit(button);
    }
  });

  document.addEventListener("click", (event) => {
    const use = event.target.closest("[data-usar]");
    if (!use) return;
    const form = $("form[data-respuesta]");
    const source = document.getElementById(use.dataset.usar);
    if (!form || !source) return;
    event.preventDefault();
    form.elements.texto.value = source.textContent.trim();
    form.elements.texto.dispatchEvent(new Event("input", { bubbles: true }));
    if (use.dataset.plantilla && form.elements.plantilla) form.elements.plantilla.value = use.dataset.plantilla;
    const box = use.dataset.decision && $(`input[name=decision][value=${use.dataset.decision}]`, form);
    if (box) {
      box.checked = true;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
    form.elements.texto.focus();
  });

  function start() {
    for (const form of $$("form[data-respuesta], form[data-condicional]")) {
      counter(form);
      conditional(form);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
