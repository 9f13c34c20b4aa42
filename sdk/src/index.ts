/** Version of this client and of the wire types it speaks, as in its package.json. */
export const version = '0.1.0';
