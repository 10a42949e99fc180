/* Answered accounts: search by invoice; the table carries the number it was asked for. */
"use strict";
const form = document.getElementById("formRespondidas");
const table = document.getElementById("tablaRespondidas");
const processing = document.getElementById("tablaRespondidas_processing");
let latest = 0;

function rowOf(values) {
  const row = document.createElement("tr");
  values.forEach((value) => {
    const cell = document.createElement("td");
    cell.textContent = value;
    row.append(cell);
  });
  return row;
}

async function search(number) {
  const mine = ++latest;
  processing.hidden = false;
  table.dataset.estado = "cargando";
  const response = await fetch(`${form.dataset.buscar}?factura=${encodeURIComponent(number)}`);
  if (response.status === 401) {
    window.location.href = "/app?caducada=1";
    return;
  }
  if (!response.ok) throw new Error(`Error del servidor (${response.status})`);
  const answer = await response.json();
  if (mine !== latest) return;
  const rows = answer.filas.map(rowOf);
  if (!rows.length) {
    const empty = rowOf(["No se encontraron registros"]);
    empty.firstChild.colSpan = 9;
    empty.firstChild.className = "dataTables_empty";
    rows.push(empty);
  }
  table.querySelector("tbody").replaceChildren(...rows);
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
  search(document.getElementById("facturaRespondida").value.trim()).catch(failed);
});
search("").catch(failed);
