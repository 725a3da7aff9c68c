/** Files of the message that is written: chosen, dropped or pasted. */
import { $, as, box, put } from "./dom.js";
import { fail, quietly } from "./notices.js";
import { S, touch } from "./state.js";
import { bytes, esc, icon } from "./words.js";

const MOST = 48e6; // bytes of all files of a message, which the server takes in base64

/** @param {File} file @returns {Promise<string>} its content in base64 */
function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => failed(new Error(`${file.name} can't be read.`));
    reader.readAsDataURL(file);
  });
}
/** @param {Iterable<File>} chosen */
async function attach(chosen) {
  for (const file of chosen) {
    if (S.files.reduce((sum, one) => sum + one.size, file.size) > MOST) {
      fail({ message: `${file.name} is too large: the files of a message have ${bytes(MOST)} at most.`, hint: "In a terminal: asst ask -a FILE" });
      continue;
    }
    S.files.push({ name: file.name || "pasted", size: file.size, data: await base64(file) });
  }
  paintFiles();
}
export function paintFiles() {
  $("files").hidden = !S.files.length;
  put($("files"), S.files.map((f, i) => `<li><b>${esc(f.name)}</b> ${bytes(f.size)}<button type="button" data-unattach="${i}" aria-label="Remove ${esc(f.name)}">${icon("x")}</button></li>`).join(""));
  touch();
}
/** Take files from the button, from a drop anywhere, and from the clipboard. */
export function takeFiles() {
  const choose = as("choose", HTMLInputElement);
  choose.addEventListener("change", () => {
    const chosen = [...(choose.files || [])];
    choose.value = "";
    quietly(() => attach(chosen));
  });
  /** @param {DragEvent} e */
  const drag = (e) => {
    if (!e.dataTransfer?.types.includes("Files")) return;
    e.preventDefault();
    $("composer").classList.toggle("drop", e.type === "dragover");
    const dropped = e.type === "drop" ? [...e.dataTransfer.files] : [];
    quietly(() => attach(dropped));
  };
  document.addEventListener("dragover", drag);
  document.addEventListener("dragleave", drag);
  document.addEventListener("drop", drag);
  box().addEventListener("paste", (e) => {
    const pasted = [...(e.clipboardData?.files || [])];
    if (!pasted.length) return;
    e.preventDefault();
    quietly(() => attach(pasted));
  });
}

/** @type {import("./dom.js").Click[]} */
export const clicks = [
  ["#attach", () => $("choose").click()],
  [
    "[data-unattach]",
    (b) => {
      S.files.splice(Number(b.dataset.unattach), 1);
      paintFiles();
      box().focus();
    },
  ],
];
