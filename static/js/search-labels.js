// The admin's lists to search in (select2) have no name of their own while nothing is chosen: give them their field's.
(() => {
  const name = () => {
    for (const list of document.querySelectorAll("select.admin-autocomplete")) {
      const box = list.nextElementSibling?.querySelector("[aria-labelledby$='-container']");
      const label = list.hasAttribute("aria-label") ? list : list.labels[0];
      if (!box || !label) continue;
      label.id ||= `${list.id}-label`;
      if (!box.getAttribute("aria-labelledby").includes(" ")) {
        box.setAttribute("aria-labelledby", `${label.id} ${box.getAttribute("aria-labelledby")}`);
      }
    }
  };
  window.django?.jQuery?.(name); // after Django's own, which makes the lists
  document.addEventListener("formset:added", () => setTimeout(name));
})();
