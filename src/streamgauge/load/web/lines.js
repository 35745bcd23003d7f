// Locust's form has one-line fields, which drop line breaks. Some options can have several lines: turn their fields into
// text areas. Locust reads every named input, select and textarea; if two have the same name, it uses the later one.
{
  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;

  const widen = (input) => {
    input.dataset.widened = "true";
    const area = document.createElement("textarea");
    area.name = input.name;
    area.id = input.id;
    area.className = input.className;
    area.rows = 2;
    area.style.cssText = "height: auto; resize: vertical; overflow: auto";
    area.value = input.getAttribute("value") ?? ""; // the property has lost its line breaks
    input.removeAttribute("name");
    input.removeAttribute("id");
    input.style.display = "none";
    input.after(area);
    setValue.call(input, "-"); // a field with a value keeps its label above it
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const widenAll = () => {
    for (const name of "FIELDS") {
      document.querySelectorAll(`input[name="${name}"]:not([data-widened])`).forEach(widen);
    }
  };

  new MutationObserver(widenAll).observe(document.body, { childList: true, subtree: true });
  widenAll();
}
