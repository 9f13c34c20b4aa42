import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { join } from 'node:path';
import { openSecret, readSecret } from '../base/secrets.ts';

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
  return new Signer(await openSecret(keyFile(dataFolder), makeKey));
}

/** The public key under the data folder, or null when none was made yet. */
export async function readOwnKey(dataFolder: string): Promise<PublicKey | null> {
  const pem = await readSecret(keyFile(dataFolder));
  return pem === null ? null : new Signer(pem).publicKey;
}

function keyFile(dataFolder: string): string {
  return join(dataFolder, 'keys', 'manifest.pem');
}

function makeKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
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
