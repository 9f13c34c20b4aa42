import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../base/errors.ts';

/** A public key as manifests carry it. */
export interface PublicKey {
  /** First 16 hex digits of the sha-256 of the key's bytes. */
  readonly id: string;
  readonly algorithm: 'ed25519';
  /** The key as SPKI DER in base64. */
  readonly public: string;
}

/** Signs manifests. The private key never leaves this object. */
export class Signer {
  readonly #private: KeyObject;
  readonly publicKey: PublicKey;

  constructor(privatePem: string) {
    this.#private = createPrivateKey(privatePem);
    this.publicKey = describeKey(createPublicKey(this.#private));
  }

  /** Ed25519 signature in base64. */
  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#private).toString('base64');
  }
}

/** The signing key under the data folder, made at first use and readable by its owner only. */
export async function openSigner(dataFolder: string): Promise<Signer> {
  const folder = join(dataFolder, 'keys');
  const path = join(folder, 'manifest.pem');
  const existing = await readKey(path);
  if (existing !== null) return new Signer(existing);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  // Linked into place, so that two first starts at once end up with one key, and never with half of one.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, pem, { mode: 0o600, flush: true });
  await link(draft, path).catch((error: unknown) => {
    if (!isSystemError(error, 'EEXIST')) throw error;
  });
  await rm(draft);
  return new Signer(await readFile(path, 'utf8'));
}

/** The public key under the data folder, or null when none was made yet. */
export async function readOwnKey(dataFolder: string): Promise<PublicKey | null> {
  const pem = await readKey(join(dataFolder, 'keys', 'manifest.pem'));
  return pem === null ? null : new Signer(pem).publicKey;
}

async function readKey(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Whether `signature` (base64) is this key's over the text, and the key's id its own. */
export function isSignedBy(key: PublicKey, text: string, signature: string): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key.public, 'base64'), format: 'der', type: 'spki' });
    if (publicKey.asymmetricKeyType !== 'ed25519' || describeKey(publicKey).id !== key.id) return false;
    return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function describeKey(key: KeyObject): PublicKey {
  const bytes = key.export({ type: 'spki', format: 'der' });
  return {
    id: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    algorithm: 'ed25519',
    public: bytes.toString('base64'),
  };
}
