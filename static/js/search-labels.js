// The admin's lists to search in (select2) have no name of their own while nothing is chosen: give them their field's.
(() => {
  const name = () => {
    for (const list of document.querySelectorAll("select.admin-autocomplete")) {
      const box = list.nextElementSibling?.querySelector("[role='combobox']");
      const chosen = box?.querySelector(".select2-selection__rendered");
      const label = list.hasAttribute("aria-label") ? list : list.labels[0];
      if (!box || !label) continue;
      label.id ||= `${list.id}-label`;
      for (const part of [box, chosen]) {
        if (part && part.dataset.named !== "1") {
          part.dataset.named = "1";
          part.setAttribute("aria-labelledby", `${label.id} ${part.getAttribute("aria-labelledby") ?? ""}`.trim());
        }
      }
    }
  };
  window.django?.jQuery?.(name); // after Django's own, which makes the lists
  document.addEventListener("formset:added", () => setTimeout(name));
})();
