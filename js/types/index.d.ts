// The public types of kiiweb. They are written by hand and are the only source: the
// loader's own sources import them from here. Each subject has a file.

export * from "./calls.js";
export * from "./connection.js";
export * from "./debug.js";
export * from "./kii.js";
export * from "./load.js";
export * from "./messages.js";
export * from "./owners.js";
