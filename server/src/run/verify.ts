import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Fault, isSystemError } from '../base/errors.ts';
import { readOwnKey } from './keys.ts';
import { isGenuine, type Manifest, manifestSchema } from './manifest.ts';

type FileState = 'intact' | 'changed' | 'missing' | 'extra';

interface CheckedFile {
  readonly path: string;
  readonly state: FileState;
  readonly note?: string;
}

export interface Verification {
  readonly folder: string;
  /** The manifest's own state first, then the listed files, then what is there beside them. */
  readonly files: readonly CheckedFile[];
  readonly manifest: Manifest | null;
  /** Whether the manifest was signed by the key of this data folder. */
  readonly isOwnSigner: boolean;
  readonly isIntact: boolean;
}

const MANIFEST = 'manifest.json';

/** Reads a folder of exported files again and compares it with its manifest. Loads no configuration. */
export async function verifyExport(path: string, dataFolder: string): Promise<Verification> {
  const isFolder = (await statusOf(path)) === 'folder';
  const folder = isFolder ? path : dirname(path);
  const name = isFolder ? MANIFEST : basename(path);
  const { manifest, problem } = await readManifest(join(folder, name));
  if (manifest === null) {
    const state = problem === 'missing' ? 'missing' : 'changed';
    return {
      folder,
      files: [{ path: name, state, ...(problem === null ? {} : { note: problem }) }],
      manifest: null,
      isOwnSigner: false,
      isIntact: false,
    };
  }
  const listed = manifest.outputs.flatMap((output) => output.files);
  const checked: CheckedFile[] = [];
  for (const file of listed) checked.push({ path: file.path, ...(await checkFile(folder, file)) });
  const files = [
    {
      path: name,
      state: problem === null ? 'intact' : 'changed',
      ...(problem === null ? {} : { note: problem }),
    } as const,
    ...checked,
    ...(await extras(folder, new Set([name, ...listed.map((file) => file.path)]))),
  ];
  const own = await readOwnKey(dataFolder);
  return {
    folder,
    files,
    manifest,
    isOwnSigner: own?.public === manifest.key.public,
    isIntact: files.every((file) => file.state === 'intact'),
  };
}

async function readManifest(path: string): Promise<{ manifest: Manifest | null; problem: string | null }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return null;
    throw new Fault('source.unreachable', `${path} cannot be read.`, { cause: error });
  });
  if (text === null) return { manifest: null, problem: 'missing' };
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) return { manifest: null, problem: 'it is not a manifest of this version' };
  return { manifest: parsed.data, problem: isGenuine(parsed.data) ? null : 'its signature does not fit what it says' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type ListedFile = Manifest['outputs'][number]['files'][number];

async function checkFile(folder: string, file: ListedFile): Promise<{ state: FileState; note?: string }> {
  if (!isConfined(file.path)) return { state: 'changed', note: 'its path leads out of the folder' };
  const path = join(folder, file.path);
  const status = await statusOf(path);
  if (status === 'absent') return { state: 'missing' };
  if (status !== 'file') return { state: 'changed', note: `it is a ${status}, not a file` };
  const { bytes, sha256 } = await hashFile(path);
  if (bytes !== file.bytes) return { state: 'changed', note: `${bytes} bytes, not ${file.bytes}` };
  return sha256 === file.sha256 ? { state: 'intact' } : { state: 'changed', note: 'its sha-256 is another' };
}

/** Relative, of plain names: no `..`, no absolute path, nothing a file system could read otherwise. */
function isConfined(path: string): boolean {
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\\') && !part.includes('\0'));
}

async function statusOf(path: string): Promise<'file' | 'folder' | 'symlink' | 'absent' | 'special file'> {
  try {
    const entry = await lstat(path);
    if (entry.isSymbolicLink()) return 'symlink';
    if (entry.isDirectory()) return 'folder';
    return entry.isFile() ? 'file' : 'special file';
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return 'absent';
    throw error;
  }
}

async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function extras(folder: string, known: ReadonlySet<string>): Promise<{ path: string; state: FileState }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length));
  return paths.filter((path) => !known.has(path)).map((path) => ({ path, state: 'extra' as const }));
}
