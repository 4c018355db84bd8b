// What `npm run build` writes beside this file, from ./assembly.

/** The core's code, as WebAssembly, in base64. */
export const CODE: string;
