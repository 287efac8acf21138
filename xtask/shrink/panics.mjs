// Takes out of a module what a panic would say, which no page can read: there is no hook for it. A panic stays what it was for
// a page, a trap.
//
//     node panics.mjs <node_modules> <module> <result>

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, from, to] = process.argv;
const { default: binaryen } = await import(pathToFileURL(path.join(modules, "binaryen/index.js")));

// What Rust calls when it panics, and what only that calls.
const PANICS =
  /\bstd\b.*::panicking::|\bcore\b.*::(panicking|panic)::|::(unwrap|expect|\w+)_failed$|(slice|str)\b.*::\w+_fail$|::panic_(already_(mutably_)?borrowed|poisoned)$|::handle_(alloc_)?error$|::rust_oom\b|::default_alloc_error_hook$|__rust_alloc_error_handler$|::capacity_overflow$/;
// What turns values into texts, as panics do.
const FORMATTING = /\b(core|alloc)(\[\w+\])?::fmt::/;
// Where code stands.
const PATH = /^[ -~]+\.rs$/;

const names = (module) =>
  Array.from({ length: module.getNumFunctions() }, (_, index) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)))
    .filter(({ module }) => !module)
    .map(({ name }) => name);

// Puts a trap in the place of each function with such a name.
const trap = (module, pattern) => {
  for (const name of names(module)) {
    if (pattern.test(name)) binaryen.Function.setBody(module.getFunction(name), module.unreachable());
  }
};

// Whether anything formats but formatting itself. Tables still name functions that do, so that no optimiser leaves them out.
const formats = (module) => {
  const matches = (name) => PANICS.test(name) || FORMATTING.test(name);
  const unescaped = (name) => name.replace(/\\([0-9a-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  let caller;
  for (const line of module.emitText().split("\n")) {
    const [, word, quoted, plain] = /^\s*\((func|call|return_call|ref\.func) \$(?:"((?:[^"\\]|\\.)*)"|([^\s)]+))/.exec(line) ?? [];
    if (!word) continue;
    const name = unescaped(quoted ?? plain);
    if (word === "func") caller = name;
    else if (!matches(caller) && FORMATTING.test(name)) return `${caller} calls ${name}`;
  }
  return undefined;
};

// Overwrites each `core::panic::Location` and the path that it names: both are written down for panics alone.
const forgetPlaces = (bytes) => {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0, byte = 128; byte & 128; shift += 7) value |= ((byte = bytes[at++]) & 127) << shift;
    return value;
  };
  const segments = [];
  while (at < bytes.length) {
    const [id, length] = [bytes[at++], number()];
    const end = at + length;
    if (id === 11) {
      for (let count = number(); count; count--) {
        if (number() !== 0 || bytes[at++] !== 0x41) throw new Error("a segment of data is not where a number says");
        const start = number();
        if (bytes[at++] !== 0x0b) throw new Error("a segment's place is no constant");
        const size = number();
        segments.push({ start, data: bytes.subarray(at, at + size) });
        at += size;
      }
    }
    at = end;
  }
  const found = [];
  for (const { start, data } of segments) {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    for (let offset = -start & 3; offset + 16 <= data.length; offset += 4) {
      const [pointer, length, line, column] = [0, 4, 8, 12].map((field) => view.getUint32(offset + field, true));
      const holder = segments.find(({ start, data }) => pointer >= start && pointer + length <= start + data.length);
      if (!holder || length > 4096 || !line || line > 1e6 || !column || column > 1e4) continue;
      const file = holder.data.subarray(pointer - holder.start, pointer - holder.start + length);
      if (PATH.test(Buffer.from(file).toString("latin1"))) found.push(data.subarray(offset, offset + 16), file);
    }
  }
  for (const bytes of found) bytes.fill(0);
};

binaryen.setDebugInfo(true);
const module = binaryen.readBinary(fs.readFileSync(from));
// Only the glue would use it, which is written without (xtask/src/glue.rs).
module.removeExport("__wbindgen_realloc");
trap(module, PANICS);
module.runPasses(["vacuum", "dce", "remove-unused-module-elements"]);
const use = formats(module);
if (use) console.error(`formatting stays: ${use}`);
else trap(module, FORMATTING);
const bytes = module.emitBinary();
forgetPlaces(bytes);
fs.writeFileSync(to, bytes);
