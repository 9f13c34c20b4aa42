import type { ColumnType } from '../src/column/type.ts';

/** A value as hyparquet gives it, in the shape the model has it. */
export function loaded(cell: unknown, type: ColumnType): unknown {
  if (cell === null || cell === undefined) return null;
  switch (type.is) {
    case 'integer':
    case 'decimal':
    case 'date':
    case 'time':
      return cell instanceof Uint8Array ? signed(cell) : BigInt(cell as number | bigint);
    case 'bytes':
      return Buffer.from(cell as Uint8Array).toString('hex');
    case 'float':
      return Number(cell) + 0;
    case 'list':
      return (cell as unknown[]).map((item) => loaded(item, type.of));
    case 'struct':
      return Object.fromEntries(
        type.fields.map(({ name, type: inner }) => [name, loaded((cell as Record<string, unknown>)[name], inner)]),
      );
    case 'map':
      return (cell as { key_value: { key: unknown; value: unknown }[] }).key_value.map(({ key, value }) => [
        loaded(key, type.key),
        loaded(value, type.value),
      ]);
    default:
      return cell;
  }
}

function signed(bytes: Uint8Array): bigint {
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}
