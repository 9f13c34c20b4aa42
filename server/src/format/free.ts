/**
 * Frees the memory of bytes that nobody looks at any more: the collector would come late for garbage that is large and
 * outside of its heap. Small buffers share their memory with others and are left to it.
 */
export function free(bytes: Uint8Array): void {
  const memory = bytes.buffer;
  if (memory instanceof ArrayBuffer && memory.byteLength > Buffer.poolSize) memory.transfer(0);
}
