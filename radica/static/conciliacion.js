/* The working table: two values are typed and the third follows; totals are exact (whole centavos as BigInt).
   The server checks everything again; without this script a line is completed there. */
(() => {
  "use strict";
  const form = document.querySelector("[data-mesa]");
  if (!form) return;
  const PARTS = ["lev", "ace", "sig"];
  const NAMES = { lev: "levantado", ace: "aceptado", sig: "sigue" };
  const groups = new Intl.NumberFormat("es-CO", { maximumFractionDigits: 0, useGrouping: "always" });

  /* The same rules as the server: dots in threes divide thousands, else a point or comma divides centavos. */
  function read(text) {
    const bare = text.replace(/[$\s\u00a0]/g, "");
    if (bare === "") return null;
    let whole;
    let cents = "";
    if (/^\d{1,3}(\.\d{3})+(,\d{1,2})?$/.test(bare)) [whole, cents = ""] = bare.replaceAll(".", "").split(",");
    else if (/^\d{1,15}([.,]\d{1,2})?$/.test(bare)) [whole, cents = ""] = bare.split(/[.,]/);
    else return undefined;
    return BigInt(whole) * 100n + BigInt((cents || "0").padEnd(2, "0"));
  }
  function write(cents) {
    const minus = cents < 0n;
    const value = minus ? -cents : cents;
    const rest = value % 100n;
    return (minus ? "-" : "") + groups.format(value / 100n).replaceAll(",", ".") + (rest ? `,${String(rest).padStart(2, "0")}` : "");
  }

  const rows = Array.from(form.querySelectorAll("[data-linea]")).map((row) => ({
    row,
    dispute: BigInt(row.dataset.disputa),
    seen: row.dataset.vio.split(":").map(BigInt),
    fields: PARTS.map((part) => row.querySelector(`[data-parte=${part}]`)),
    last: [],
  })).filter((one) => one.fields.every(Boolean));
  const byField = new Map(rows.flatMap((one) => one.fields.map((field, at) => [field, { one, at }])));

  function values(one) {
    return one.fields.map((field) => read(field.value));
  }
  /* The field that follows: the one typed on longest ago; what stays in dispute before any other. */
  function follow(one, at) {
    one.last = [at, ...one.last.filter((before) => before !== at)].slice(0, 2);
    const fixed = one.last.length === 2 ? one.last : at === 2 ? [2, 1] : [at, at === 0 ? 1 : 0];
    const free = [0, 1, 2].find((index) => !fixed.includes(index));
    const typed = values(one);
    if (fixed.some((index) => typed[index] === undefined)) return;
    const rest = one.dispute - fixed.reduce((sum, index) => sum + (typed[index] ?? 0n), 0n);
    if (rest >= 0n) one.fields[free].value = write(rest);
  }
  function judge(one) {
    const typed = values(one);
    const whole = typed.every((value) => value !== undefined && value !== null);
    const adds = whole && typed.reduce((sum, value) => sum + value, 0n) === one.dispute;
    one.changed = !whole || typed.some((value, at) => value !== one.seen[at]);
    one.now = adds ? typed : one.seen;
    one.row.classList.toggle("no-suma", !adds);
    one.row.classList.toggle("cambiada", one.changed && adds);
    return adds;
  }
  function sums() {
    let wrong = 0;
    for (const one of rows) if (!judge(one)) wrong += 1;
    PARTS.forEach((part, at) => {
      const name = NAMES[part];
      const total = rows.reduce((sum, one) => sum + one.now[at] - one.seen[at], BigInt(form.dataset[name]));
      const cell = form.querySelector(`[data-suma=${name}]`);
      cell.textContent = `$ ${write(total)}`;
    });
    const changed = rows.filter((one) => one.changed).length;
    const count = document.querySelector("[data-mesa-count]");
    if (count) count.textContent = changed ? `(${changed})` : "";
    form.querySelector("[data-mesa-aviso]").textContent = wrong ? `${wrong} sin cuadrar` : changed ? "sin guardar" : "";
  }

  form.addEventListener("input", (event) => {
    const found = byField.get(event.target);
    if (found) follow(found.one, found.at);
    sums();
  });
  form.addEventListener("focusin", (event) => {
    if (byField.has(event.target)) event.target.select();
  });
  form.addEventListener("keydown", (event) => {
    const found = byField.get(event.target);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (found && ["Enter", "ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      const step = event.key === "ArrowUp" || event.shiftKey ? -1 : 1;
      const next = rows[rows.indexOf(found.one) + step];
      if (next) next.fields[found.at].focus();
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
    }
  });
  window.addEventListener("load", sums);
  sums();
})();
