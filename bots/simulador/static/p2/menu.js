/* Menus open by click and stay open until another click, like Bootstrap's. */
"use strict";
document.querySelectorAll(".dropdown > .nav-link").forEach((toggle) => {
  toggle.addEventListener("click", (event) => {
    event.stopPropagation();
    const open = toggle.parentElement.classList.contains("show");
    document.querySelectorAll(".dropdown.show").forEach((other) => other.classList.remove("show"));
    toggle.parentElement.classList.toggle("show", !open);
  });
});
document.addEventListener("click", () => {
  document.querySelectorAll(".dropdown.show").forEach((other) => other.classList.remove("show"));
});
