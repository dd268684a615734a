// Controls of every kind. The frame and the first view import `basic` alone: what else is here
// comes with the first part that needs it.
export * from "./basic";
export { Dialog } from "./dialog";
export { Menu, type MenuItem } from "./menu";
export { Tabs, type Tab } from "./tabs";
