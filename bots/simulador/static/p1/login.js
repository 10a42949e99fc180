/* The information window covers the login page until it is acknowledged. */
"use strict";
const acknowledge = document.getElementById("btn-entendido");
if (acknowledge) {
  acknowledge.addEventListener("click", () => document.getElementById("modal-informativo").remove());
}
