//! The glue that wasm-bindgen writes between a module and JavaScript, without what the package has no use for.

use anyhow::{Result, ensure};

/// What goes and what comes in its place: code for browsers without `TextEncoder.encodeInto`, `FinalizationRegistry` or
/// `globalThis`, which are older than those that can run the modules; for callers of old versions; and for speed where the
/// package passes a few short texts for each connection.
const SHORTER: [(&str, &str); 4] = [
    (
        "(typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : ",
        "",
    ),
    // The package loads each module once, and in one way.
    (
        "    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }
",
        "",
    ),
    (
        "    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
",
        "",
    ),
    ("function initSync(module)", "function initSync({ module })"),
];

/// The same, where texts are passed to the module.
const PASSED: [(&str, &str); 7] = [
    (
        "if (!('encodeInto' in cachedTextEncoder)) {
    cachedTextEncoder.encodeInto = function (arg, view) {
        const buf = cachedTextEncoder.encode(arg);
        view.set(buf);
        return {
            read: arg.length,
            written: buf.length
        };
    };
}",
        "",
    ),
    // All texts the way it takes where the module cannot reallocate.
    ("    if (realloc === undefined) {\n", "    {\n"),
    (
        "
    let len = arg.length;
    let ptr = malloc(len, 1) >>> 0;

    const mem = getUint8ArrayMemory0();

    let offset = 0;

    for (; offset < len; offset++) {
        const code = arg.charCodeAt(offset);
        if (code > 0x7F) break;
        mem[ptr + offset] = code;
    }
    if (offset !== len) {
        if (offset !== 0) {
            arg = arg.slice(offset);
        }
        ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
        const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
        const ret = cachedTextEncoder.encodeInto(arg, view);

        offset += ret.written;
        ptr = realloc(ptr, len, offset, 1) >>> 0;
    }

    WASM_VECTOR_LEN = offset;
    return ptr;
",
        "",
    ),
    (", wasm.__wbindgen_malloc, wasm.__wbindgen_realloc", ""),
    ("passStringToWasm0(arg, malloc, realloc)", "passStringToWasm0(arg)"),
    // No address is so high that it looks negative.
    ("malloc(buf.length, 1) >>> 0", "wasm.__wbindgen_malloc(buf.length, 1)"),
    ("        return this;\n", ""),
];

/// The same, where texts come from it.
const READ: [(&str, &str); 4] = [
    // Safari's decoder fails after two gigabytes, which no text of a module comes to.
    (
        "    numBytesDecoded += bytes.length;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
        cachedTextDecoder.decode();
        numBytesDecoded = bytes.length;
    }
",
        "",
    ),
    (
        "cachedTextDecoder.decode();\nconst MAX_SAFARI_DECODE_BYTES = 2146435072;\nlet numBytesDecoded = 0;\n",
        "",
    ),
    // The memory's buffer changes as it grows: a new view is shorter than to look whether it has.
    (
        "    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
",
        "    return new Uint8Array(wasm.memory.buffer);\n",
    ),
    ("    cachedUint8ArrayMemory0 = null;\n", ""),
];

/// The same, of which not every glue has something: two texts are passed at once where there is no memory for the second only
/// in a page that is lost anyway.
const SOMETIMES: [(&str, &str); 25] = [
    ("ptr1, len1;\n        try {\n", "ptr1, len1;\n        {\n"),
    (
        " catch (e) {
            if (ptr1) { wasm.__wbindgen_free(ptr1, len1 * 1, 1); }
            if (ptr0) { wasm.__wbindgen_free(ptr0, len0 * 1, 1); }
            throw e;
        }",
        "",
    ),
    (
        "
    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || \
         (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== \
         wasm.memory.buffer)) {
        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    }
    return cachedDataViewMemory0;
",
        "    return new DataView(wasm.memory.buffer);\n",
    ),
    ("    cachedDataViewMemory0 = null;\n", ""),
    ("typeof globalThis === 'undefined' ? undefined : globalThis", "globalThis"),
    ("typeof global === 'undefined' ? undefined : global;", "undefined;"),
    ("typeof self === 'undefined' ? undefined : self", "undefined"),
    ("typeof window === 'undefined' ? undefined : window", "undefined"),
    (
        "const ret = undefined;
            return isLikeNone(ret) ? 0 : addToExternrefTable0(ret);",
        "return 0;",
    ),
    (
        "const ret = globalThis;
            return isLikeNone(ret) ? 0 : addToExternrefTable0(ret);",
        "return addToExternrefTable0(globalThis);",
    ),
    ("isLikeNone(ret)", "(ret == null)"),
    // Asking for a class of the browser's own throws nothing.
    (
        "            let result;
            try {
                result = arg0 instanceof Response;
            } catch (_) {
                result = false;
            }
            const ret = result;
",
        "            const ret = arg0 instanceof Response;
",
    ),
    // Nothing else has such short names as the module's imports, and no address is so high that it looks negative.
    ("        __proto__: null,\n", ""),
    ("    ptr = ptr >>> 0;\n    return decodeText", "    return decodeText"),
    // Where results go: on the module's stack, whose addresses are the lowest.
    ("(arg0 >>> 0) + 4 * 0", "arg0"),
    ("(arg0 >>> 0) + 4 * 1", "arg0 + 4"),
    ("(arg0 >>> 0) + 8 * 0", "arg0"),
    ("(arg0 >>> 0) + 8 * 1", "arg0 + 8"),
    // A function that throws is wrapped once, not at each call.
    ("function() { return handleError(function (", "handleError(function ("),
    ("}, arguments); }", "})"),
    (
        "function handleError(f, args) {
    try {
        return f.apply(this, args);
    } catch (e) {
        const idx = addToExternrefTable0(e);
        wasm.__wbindgen_exn_store(idx);
    }
}",
        "const handleError = (f) => (...args) => {
    try {
        return f(...args);
    } catch (e) {
        wasm.__wbindgen_exn_store(addToExternrefTable0(e));
    }
};",
    ),
    // The session frees its `Core`; until then the module itself holds on to both.
    ("const CoreFinalization = new FinalizationRegistry(ptr => wasm.__wbg_core_free(ptr, 1));\n", ""),
    ("        CoreFinalization.register(this, this.__wbg_ptr, this);\n", ""),
    ("        CoreFinalization.unregister(this);\n", ""),
    (
        "    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_core_free(ptr, 0);
    }
",
        "    free() {
        wasm.__wbg_core_free(this.__wbg_ptr, 0);
        this.__wbg_ptr = 0;
    }
",
    ),
];

/// The glue without it.
pub(crate) fn lean(glue: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    let parts: [(&str, &[_]); 3] =
        [("", &SHORTER), ("function passStringToWasm0", &PASSED), ("function getStringFromWasm0", &READ)];
    for (mark, changes) in parts {
        if !glue.contains(mark) {
            continue;
        }
        for (long, short) in changes {
            ensure!(glue.contains(long), "wasm-bindgen has changed: the glue has no {long}");
            glue = glue.replace(long, short);
        }
    }
    for (long, short) in SOMETIMES {
        glue = glue.replace(long, short);
    }
    // Nobody disposes of the modules' classes by a declaration.
    Ok(glue
        .lines()
        .filter(|line| !line.starts_with("if (Symbol.dispose)"))
        .flat_map(|line| [line, "\n"])
        .collect())
}
