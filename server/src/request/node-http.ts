/** An `import` of node:http reads all its names, and for one of them Node loads its fetch: 65 ms of a start. */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
