/* What the pages do in the browser: keys, copying, choosing rows, keeping what was typed, one send per click.
   Everything works without it but the comfort; nothing here decides what is allowed. */
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const typing = (node) => node.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;
  const pesos = new Intl.NumberFormat("es-CO", { maximumFractionDigits: 0 });
  const count = new Intl.NumberFormat("es-CO");

  function say(text) {
    let live = $("#decir");
    if (!live) {
      live = document.createElement("div");
      live.id = "decir";
      live.className = "visually-hidden";
      live.setAttribute("aria-live", "polite");
      document.body.append(live);
    }
    live.textContent = text;
  }

  /* Menus: one open at a time, closed by a click elsewhere or Escape. */
  document.addEventListener("click", (event) => {
    for (const menu of $$("details[data-popup][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-filter-list]")) return;
    const wanted = event.target.value.trim().toLowerCase();
    for (const one of $$("button", event.target.parentElement)) one.hidden = !one.textContent.toLowerCase().includes(wanted);
  });

  /* Copy an identifier. */
  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("copiado");
    say("Copiado");
    setTimeout(() => button.classList.remove("copiado"), 1200);
  }

  /* Confirm in words what will happen, then do it. */
  function confirmed(text) {
    const dialog = $("#confirmar");
    if (!dialog) return Promise.resolve(window.confirm(text));
    $("#confirmar-texto").textContent = text;
    dialog.returnValue = "no";
    dialog.showModal();
    $("#confirmar-si").focus();
    return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "si"), { once: true }));
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method === "dialog") return;
    if (form.hasAttribute("data-leaving")) forgetAll();
    const button = event.submitter;
    const text = button?.dataset.confirm || form.dataset.confirm;
    if (text && form.dataset.sure !== "yes") {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (await confirmed(text)) {
        form.dataset.sure = "yes";
        form.requestSubmit(button || undefined);
      }
      return;
    }
    delete form.dataset.sure;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent === "yes") {
      event.preventDefault();
      return;
    }
    /* What answers with a file leaves this page where it is: the form must go on serving. */
    if (form.hasAttribute("data-descarga") || button?.hasAttribute("data-descarga")) return;
    form.dataset.sent = "yes";
    rememberSent(form);
    /* Disabled a moment later: a disabled button would not send its own value. */
    setTimeout(() => {
      for (const one of $$("button[type=submit]", form)) one.disabled = true;
      button?.classList.add("ocupado");
    }, 0);
  }, true);
  window.addEventListener("pageshow", () => {
    for (const form of $$("form[data-sent]")) {
      delete form.dataset.sent;
      for (const one of $$("button[type=submit]", form)) {
        one.disabled = false;
        one.classList.remove("ocupado");
      }
    }
  });

  /* Forms with data-keep: what is typed stays in this tab until it was taken; it survives an expired session. */
  const KEEP = "radica:";
  const SENT = "radica-sent";
  const DOOR = "radica-door";
  /* By where the form is sent: a page that comes back with errors has another address than the one it was typed on. */
  const keepKey = (form) => `${KEEP}${new URL(form.getAttribute("action") || "", location).pathname}:${form.dataset.keep}`;
  const keepable = (field) => field.name && field.name !== "csrf_token" && !["password", "file", "hidden", "submit"].includes(field.type);

  function save(form) {
    const values = {};
    for (const field of Array.from(form.elements).filter(keepable)) {
      if (["checkbox", "radio"].includes(field.type)) {
        (values[field.name] ||= []);
        if (field.checked) values[field.name].push(field.value);
      } else {
        values[field.name] = field.value;
      }
    }
    try { sessionStorage.setItem(keepKey(form), JSON.stringify(values)); } catch { /* full or forbidden: typing goes on */ }
  }
  function restore(form) {
    const kept = sessionStorage.getItem(keepKey(form));
    if (!kept) return;
    const values = JSON.parse(kept);
    /* A form that comes back with errors already holds what was typed. */
    if ($("[aria-invalid], .campo-mal", form)) return;
    for (const field of Array.from(form.elements).filter(keepable)) {
      if (!(field.name in values)) continue;
      if (["checkbox", "radio"].includes(field.type)) field.checked = values[field.name].includes(field.value);
      else field.value = values[field.name];
    }
    say("Se recuperó lo que había escrito");
  }
  function rememberSent(form) {
    if (form.dataset.keep) sessionStorage.setItem(SENT, keepKey(form));
  }
  function forgetSent() {
    /* On the way through the login the text is still owed; on an error page too, for who goes back. Else the page
       that follows a send means that it was taken, also when it is the same page with the form empty again. */
    const key = sessionStorage.getItem(SENT);
    if (!key) return;
    if (document.body.classList.contains("suelta")) {
      sessionStorage.setItem(DOOR, "yes");
      return;
    }
    const throughDoor = sessionStorage.getItem(DOOR) === "yes";
    sessionStorage.removeItem(SENT);
    sessionStorage.removeItem(DOOR);
    if (!throughDoor && !$(".error, [aria-invalid], .campo-mal")) sessionStorage.removeItem(key);
  }
  function forgetAll() {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith("radica")) sessionStorage.removeItem(key);
  }
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.dataset.keep) save(form);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.dataset.keep) save(form);
    if (event.target.matches("[data-autosubmit]") || form?.hasAttribute("data-autosubmit")) form.requestSubmit();
    if (event.target.matches("[data-row-check], [data-check-all]")) choose(event.target);
  });

  /* Rows: choose, say how many and how much. */
  function choose(box) {
    const table = box.closest("table");
    if (box.matches("[data-check-all]")) {
      for (const one of $$("[data-row-check]", table)) one.checked = box.checked;
    }
    tally();
  }
  function tally() {
    const boxes = $$("[data-row-check]");
    const chosen = boxes.filter((one) => one.checked);
    for (const one of boxes) one.closest("tr")?.classList.toggle("elegida", one.checked);
    for (const all of $$("[data-check-all]")) {
      all.checked = chosen.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    /* Centavos beyond 2^53 would lose their last digit: they are added as whole numbers. */
    const cents = chosen.reduce((sum, one) => sum + BigInt(one.dataset.cents || "0"), 0n);
    for (const bar of $$("[data-bulk]")) {
      bar.hidden = chosen.length === 0;
      const what = chosen.length === 1 ? bar.dataset.one : bar.dataset.many;
      const money = cents > 0n ? ` · $ ${pesos.format(cents / 100n)}` : "";
      $("[data-bulk-text]", bar).textContent = `${count.format(chosen.length)} ${what}${money}`;
    }
  }

  /* Keys. */
  const rows = () => $$("table[data-rows] tbody tr").filter((row) => row.offsetParent !== null);
  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains("actual"));
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
    for (const row of all) row.classList.toggle("actual", row === next);
    next.scrollIntoView({ block: "nearest" });
    const target = $("a, button, input", next) || next;
    if (target === next) next.tabIndex = -1;
    target.focus({ preventScroll: true });
  }
  const present = () => $("table[data-rows] tr.actual");
  function help() {
    const dialog = $("#ayuda-teclas");
    if (!dialog) return;
    const page = $("#ayuda-de-pagina");
    const own = $$("[data-key]").filter((one) => one.offsetParent !== null);
    page.hidden = own.length === 0;
    page.replaceChildren(...own.flatMap((one) => {
      const key = document.createElement("dt");
      const word = document.createElement("kbd");
      const what = document.createElement("dd");
      word.textContent = one.dataset.key;
      key.append(word);
      what.textContent = one.title || one.textContent.trim();
      return [key, what];
    }));
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const menu of $$("details[data-popup][open]")) menu.open = false;
      $("#navegacion")?.classList.remove("abierta");
      if (event.target.matches("[data-search]")) event.target.blur();
      return;
    }
    if (typing(event.target) || $("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      $("[data-search]")?.focus();
    } else if (event.key === "?") {
      event.preventDefault();
      help();
    } else if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      move(event.key === "j" ? 1 : -1);
    } else if (event.key === "x" && present()) {
      const box = $("[data-row-check]", present());
      if (box) {
        event.preventDefault();
        box.checked = !box.checked;
        choose(box);
      }
    } else if (event.key === "Enter" && present()?.dataset.href && !event.target.closest("a, button")) {
      event.preventDefault(); // the row's box has the focus, and Enter there would send its bulk form
      location.assign(present().dataset.href);
    } else {
      const own = $$("[data-key]").find((one) => one.dataset.key === event.key && one.offsetParent !== null);
      if (own) {
        event.preventDefault();
        own.matches("a, button") ? own.click() : own.focus();
      }
    }
  });

  /* Clicks. */
  document.addEventListener("click", (event) => {
    const target = event.target;
    const copyButton = target.closest("[data-copy]");
    if (copyButton) {
      event.preventDefault();
      event.stopPropagation();
      copy(copyButton);
      return;
    }
    if (target.closest("[data-help]")) help();
    if (target.closest("[data-back]")) history.back();
    if (target.closest("[data-bulk-clear]")) {
      for (const one of $$("[data-row-check]")) one.checked = false;
      tally();
    }
    const menu = target.closest("[data-menu]");
    const side = $("#navegacion");
    if (menu) {
      const open = side.classList.toggle("abierta");
      menu.setAttribute("aria-expanded", String(open));
    } else if (side?.classList.contains("abierta") && !side.contains(target)) {
      side.classList.remove("abierta");
      $("[data-menu]")?.setAttribute("aria-expanded", "false");
    }
    const row = target.closest("tr[data-href]");
    if (row && !target.closest("a, button, input, label, select, summary") && !String(getSelection())) {
      location.assign(row.dataset.href);
    }
  });

  function start() {
    forgetSent();
    for (const form of $$("form[data-keep]")) restore(form);
    $("[data-focus]")?.focus();
    $("#senalado")?.scrollIntoView({ block: "center" });
    tally();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  document.addEventListener("htmx:after:swap", () => {
    tally();
    // The place that a finding names, inside the document that opened beside the page.
    $("#senalado")?.scrollIntoView({ block: "center" });
  });
})();
