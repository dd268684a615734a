// Runs the browser's page in node, on as little of a document as it touches. Arguments: the
// script. Standard input: the page's address with the code. It prints the state line and
// each list whenever they change; "over" ends it.
import { readFileSync } from "node:fs";

class Element {
  constructor(id) { this.id = id; this.hidden = true; this.children = []; this.text = ""; }
  set textContent(t) { this.text = t; if (this.id === "state") console.log("state: " + t); }
  get textContent() { return this.text + this.children.map((c) => (typeof c === "string" ? c : c.textContent)).join(""); }
  set innerHTML(t) { throw new Error("the page writes HTML"); }
  append(...c) { this.children.push(...c); }
  replaceChildren(...c) {
    this.children = c;
    if (this.id) console.log(this.id + ": " + c.map((e) => e.textContent).join(" | "));
  }
  querySelector() { return (this.list ??= new Element(this.id + "-list")); }
}

const elements = new Map();
globalThis.document = {
  getElementById: (id) => elements.get(id) ?? elements.set(id, new Element(id)).get(id),
  createElement: () => new Element(""),
};
const address = new URL(readFileSync(0, "utf8").trim());
globalThis.location = { hash: address.hash, host: address.host, pathname: "/", reload() {} };
globalThis.history = { replaceState() { location.hash = ""; console.log("the code is out of the address"); } };
const kept = new Map();
globalThis.sessionStorage = {
  getItem: (k) => kept.get(k) ?? null,
  setItem: (k, v) => kept.set(k, v),
  removeItem: (k) => kept.delete(k),
};
globalThis.addEventListener = () => {};
const fetchThere = globalThis.fetch;
globalThis.fetch = (path, options) => fetchThere(address.origin + path, options);
// A document ends its sockets; node would wait for them.
await import("data:text/javascript;base64," + readFileSync(process.argv[2]).toString("base64"));
