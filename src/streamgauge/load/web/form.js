// Locust's form shows each option as one line whose label is the option's name with its help. This gives our options
// sections, short labels with the help below, and several lines where an option can have them. Locust reads every named
// input, select and textarea; if two have the same name, it uses the later one.
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
    return area;
  };

  // The text of a label or of the gap that the frame leaves for it; the star of a required field stays.
  const retitle = (element, text) => {
    const node = element && [...element.childNodes].find((each) => each.nodeType === Node.TEXT_NODE);
    if (node) node.data = text;
  };

  const describe = (control, { name, label, help }) => {
    const frame = control.closest(".MuiFormControl-root, .MuiFormControlLabel-root");
    if (!frame) return;
    if (control.type === "checkbox") {
      retitle(frame.querySelector(".MuiFormControlLabel-label, .MuiTypography-root"), label);
    } else {
      retitle(frame.querySelector("label"), label);
      retitle(frame.querySelector("legend span"), label);
    }
    const words = document.createElement("p");
    words.id = `help-${name}`;
    words.className = "streamgauge-help";
    words.textContent = help;
    frame.after(words);
    control.setAttribute("aria-describedby", words.id);
  };

  const headed = (control, title) => {
    const frame = control.closest(".MuiFormControl-root, .MuiFormControlLabel-root");
    const heading = document.createElement("h4");
    heading.className = "streamgauge-section";
    heading.textContent = title;
    frame?.before(heading);
  };

  const style = document.createElement("style");
  style.textContent = `
    .streamgauge-section { margin: 8px 0 -8px; font: 600 1rem/1.5 system-ui, sans-serif; }
    .streamgauge-help { margin: -18px 0 0 14px; font: .8rem/1.4 system-ui, sans-serif; opacity: .85; overflow-wrap: anywhere; }
    .MuiFormControlLabel-root + .streamgauge-help { margin: -18px 0 0 32px; }
  `;
  document.head.append(style);

  const arrange = () => {
    for (const { title, fields } of "SECTIONS") {
      let first = true;
      for (const field of fields) {
        const found = document.querySelector(`input[name="${field.name}"]:not([data-shown]), select[name="${field.name}"]:not([data-shown])`);
        if (!found) continue;
        found.dataset.shown = "true";
        const control = field.lines ? widen(found) : found;
        if (first) headed(control, title);
        describe(control, field);
        first = false;
      }
    }
  };

  new MutationObserver(arrange).observe(document.body, { childList: true, subtree: true });
  arrange();
}
