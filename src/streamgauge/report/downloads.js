// Offers the files that the page carries. Where it carries none, its links lead to the files beside it.
(() => {
  "use strict";
  const files = JSON.parse(document.getElementById("files").textContent);

  const unpacked = (packed) => {
    const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  };

  const offer = async (link) => {
    const type = link.download.endsWith(".csv") ? "text/csv" : "application/json";
    link.href = URL.createObjectURL(new Blob([await unpacked(files[link.download])], { type }));
  };

  if (typeof DecompressionStream === "undefined") return;
  for (const link of document.querySelectorAll("a[download]")) {
    if (files[link.download]) offer(link);
  }
})();
