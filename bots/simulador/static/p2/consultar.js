/* The query page: search by invoice number; the table carries the number it was asked for. */
"use strict";
const NAMES = JSON.parse(document.getElementById("nombres").textContent);
const form = document.getElementById("formConsulta");
const table = document.getElementById(NAMES.tabla);
const processing = document.getElementById(`${NAMES.tabla}_processing`);
const criterion = document.getElementById("criterioConsulta");

function cell(content) {
  const element = document.createElement("td");
  element.append(content);
  return element;
}

function fill(rows) {
  const body = table.querySelector("tbody");
  if (!rows.length) {
    const empty = cell("No se encontraron registros");
    empty.colSpan = 6;
    empty.className = "dataTables_empty";
    const row = document.createElement("tr");
    row.append(empty);
    body.replaceChildren(row);
    return;
  }
  body.replaceChildren(...rows.map((item) => {
    const row = document.createElement("tr");
    const link = document.createElement("a");
    link.href = item.constancia;
    link.textContent = "Descargar";
    [item.radicado, item.fecha, item.factura, item.valor, item.estado, link].forEach((value) => row.append(cell(value)));
    return row;
  }));
}

let latest = 0;

async function search(number) {
  const mine = ++latest;
  processing.hidden = false;
  table.dataset.estado = "cargando";
  const response = await fetch(`${form.dataset.buscar}?numero=${encodeURIComponent(number)}`);
  if (response.status === 401) {
    window.location.href = "/app?caducada=1";
    return;
  }
  if (!response.ok) throw new Error(`Error del servidor (${response.status})`);
  const answer = await response.json();
  if (mine !== latest) return;
  fill(answer.filas);
  criterion.textContent = answer.consulta ? `Resultados de la factura ${answer.consulta}` : "Últimas radicaciones";
  table.dataset.consulta = answer.consulta;
  table.dataset.estado = "listo";
  processing.hidden = true;
}

function failed(error) {
  processing.hidden = true;
  table.dataset.estado = "error";
  dialogo({ icon: "error", title: "Error", text: error.message });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  search(document.getElementById(NAMES.buscar).value.trim()).catch(failed);
});
search("").catch(failed);
